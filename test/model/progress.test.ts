import { describe, expect, it } from "vitest";
import { together, type ReaderSigns } from "../../src/model/progress.js";

const reader = (more: Partial<ReaderSigns> = {}): ReaderSigns => ({
  state: "reading",
  readAgeMs: 10,
  waitingMs: undefined,
  blockMs: 2_000,
  ...more,
});

describe("the readers of a source together", () => {
  it("are starting before there is one", () => {
    expect(together([])).toEqual({ state: "starting", readAgeMs: undefined, waitingMs: undefined, blockMs: 0 });
  });

  it("are as the only one is", () => {
    const one = reader({ state: "reconnecting", cause: "gone" });
    expect(together([one])).toEqual(one);
  });

  it.each<readonly [ReaderSigns["state"], readonly ReaderSigns["state"][]]>([
    ["reconnecting", ["reading", "reconnecting", "starting"]],
    ["starting", ["starved", "starting", "reading"]],
    ["reading", ["starved", "reading"]],
    ["starved", ["starved", "starved"]],
  ])("are %s when they are %s", (state, states) => {
    expect(together(states.map((each) => reader({ state: each }))).state).toBe(state);
  });

  it("were answered as long ago, and wait as long, as the worst of them", () => {
    const signs = together([reader({ readAgeMs: 5, waitingMs: 700, blockMs: 1 }), reader({ readAgeMs: 90 }), reader({ waitingMs: 300 })]);
    expect(signs).toMatchObject({ readAgeMs: 90, waitingMs: 700, blockMs: 2_000 });
  });

  it("were not all answered while one was not", () => {
    expect(together([reader(), reader({ readAgeMs: undefined })]).readAgeMs).toBeUndefined();
  });
});

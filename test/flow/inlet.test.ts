import { describe, expect, it } from "vitest";
import { Inlet } from "../../src/flow/inlet.js";
import { record } from "../support/virtual-time.js";

describe("Inlet", () => {
  it("gives each listener what comes while it listens", () => {
    const inlet = new Inlet<number>();
    expect(inlet.observed).toBe(false);
    const first = record(inlet.items$);
    inlet.next(1);
    const second = record(inlet.items$);
    inlet.next(2);
    first.stop();
    inlet.next(3);
    expect([first.values, second.values]).toEqual([[1, 2], [2, 3]]); // prettier-ignore
    second.stop();
    expect(inlet.observed).toBe(false);
  });

  it("lets listeners come and go while an item is given out", () => {
    const inlet = new Inlet<number>();
    const late: number[] = [];
    const values: number[] = [];
    const leaving = inlet.items$.subscribe((value) => {
      leaving.unsubscribe();
      record(inlet.items$, (other) => late.push(other));
      values.push(value);
    });
    const staying = record(inlet.items$);
    inlet.next(1);
    inlet.next(2);
    expect([values, staying.values, late]).toEqual([[1], [1, 2], [2]]); // prettier-ignore
  });

  it.each([
    ["completes", (inlet: Inlet<number>) => inlet.complete(), { ended: "complete" }],
    ["errors", (inlet: Inlet<number>) => inlet.error("x"), { ended: "error", error: "x" }],
  ])("%s once, for those who listen and for those who come later", (_, end, ended) => {
    const inlet = new Inlet<number>();
    const early = record(inlet.items$);
    end(inlet);
    inlet.complete();
    inlet.next(1);
    const late = record(inlet.items$);
    for (const each of [early, late]) expect(each).toMatchObject({ values: [], ...ended });
  });
});

import * as O from "fp-ts/lib/Option.js";
import { of, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import type { StreamOverview } from "../../src/model/group-facts.js";
import type { GroupSnapshot } from "../../src/model/group-snapshot.js";
import { watchGroups, type WatchGroupsOptions } from "../../src/sources/watch-groups.js";
import { idOf } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { nowMs, play, record, type Recording } from "../support/virtual-time.js";

type Groups = ReadonlyMap<string, GroupSnapshot>;

const options: WatchGroupsOptions = { stream: "orders", everyMs: 1_000 };

/** A trimmed stream with these groups, each in the middle of it. */
const overview = (...names: readonly string[]): StreamOverview => ({
  at: nowMs(),
  stream: { length: 10, entriesAdded: 20, ends: { first: idOf(11), last: idOf(20) }, entryBytes: 10 },
  groups: names.map((name) => ({ name, consumers: 0, pending: 0, lastDeliveredId: idOf(15), entriesRead: O.none, lag: O.none })),
});
const noStream = (): StreamOverview => ({ at: nowMs(), stream: undefined, groups: [] });

/** A server that shows one of these per second. */
function run(seconds: readonly (() => StreamOverview)[], more: Partial<WatchGroupsOptions> = {}): [Recording<Groups>, FakePort] {
  const port = new FakePort({
    inspection: { overview: () => of(seconds[nowMs() / 1_000]!()), countAfter: () => of({ count: 5, isComplete: true }) },
  });
  return [play(() => watchGroups(port.client, { ...options, ...more }), seconds.length * 1_000 - 500), port];
}

const presences = (groups: Groups): Record<string, string> =>
  Object.fromEntries([...groups].map(([group, { presence }]) => [group, presence]));

describe("watchGroups", () => {
  it("emits all groups at once, and then every everyMs, those that come and go included", () => {
    const [{ values, times }] = run([
      () => overview("a"),
      () => overview("a", "b"),
      () => overview("b"),
      () => overview("b"),
      () => overview("a", "b"),
    ]);
    expect(times).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    expect(values.map(presences)).toEqual([
      { a: "group" },
      { a: "group", b: "group" },
      { a: "noGroup", b: "group" },
      { b: "group" },
      { a: "group", b: "group" },
    ]);
  });

  it("emits an empty map without groups or without the stream", () => {
    const [{ values }] = run([noStream, () => overview(), () => overview("a"), noStream, noStream]);
    expect(values.map(presences)).toEqual([{}, {}, { a: "group" }, { a: "noStream" }, {}]);
  });

  it("keeps a window for each group", () => {
    const [{ values }] = run([() => overview("a"), () => overview("a", "b"), () => overview("a", "b")], { window: 2 });
    const verdicts = values.map((groups) => Object.fromEntries([...groups].map(([group, { verdict }]) => [group, verdict])));
    expect(verdicts).toEqual([{ a: "ok" }, { a: "stopped", b: "ok" }, { a: "stopped", b: "stopped" }]);
  });

  it("lets the groups whose lag is to be counted share the limit", () => {
    const [{ values }, port] = run([() => overview("a", "b", "c")], { countLimit: 1_000 });
    expect([...values[0]!.values()].map(({ lag }) => lag)).toEqual([O.some(5), O.some(5), O.some(5)]);
    expect(port.argsOf("countAfter").map(([, , max]) => max)).toEqual([333, 333, 333]);
    expect(port.argsOf("details").map(([ref]) => ref)).toEqual(["a", "b", "c"].map((group) => ({ stream: "orders", group })));
  });

  it("errors with what can't heal, and closes its connection", () => {
    const port = new FakePort({ inspection: { overview: () => throwError(() => new Error("NOAUTH Authentication required.")) } });
    expect(record(watchGroups(port.client, options))).toMatchObject({ ended: "error", error: { _tag: "AccessError" } });
    expect(port.open.commands).toBe(0);
  });

  it("is cold, and closes its connection when it is unsubscribed", () => {
    const [, port] = run([() => overview("a")]);
    expect(port.open.commands).toBe(0);
    const cold = new FakePort();
    void watchGroups(cold.client, options);
    expect(cold.open.commands).toBe(0);
  });

  it.each<readonly [Partial<Record<keyof WatchGroupsOptions, unknown>>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ stream: "{" }, /^Expected `stream` to have a whole hash tag/],
    [{ everyMs: 0 }, /^Expected `everyMs`/],
    [{ window: 1_001 }, /^Expected `window`/],
    [{ countLimit: 0.5 }, /^Expected `countLimit`/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => watchGroups(new FakePort().client, { ...options, ...wrong } as WatchGroupsOptions)).toThrow(message);
  });
});

import * as O from "fp-ts/lib/Option.js";
import { map, NEVER, of, take, throwError, timer, type ObservableInput } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ReplyError } from "../../src/errors.js";
import type { StreamOverview } from "../../src/model/group-facts.js";
import type { GroupSnapshot } from "../../src/model/group-snapshot.js";
import type { SourceStatus } from "../../src/model/status.js";
import { watchGroup, type WatchGroupOptions } from "../../src/sources/watch-group.js";
import { idOf } from "../support/deliveries.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import { nowMs, play, record, timeline, type Recording } from "../support/virtual-time.js";

const options: WatchGroupOptions = { stream: "orders", group: "shipping", everyMs: 1_000 };

/** A stream of ten entries, trimmed, of which the group has read five; Redis does not know its lag. */
const overview = (more: Partial<StreamOverview> = {}): StreamOverview => ({
  at: nowMs(),
  stream: { length: 10, entriesAdded: 20, ends: { first: idOf(11), last: idOf(20) }, entryBytes: 10 },
  groups: [
    { name: "billing", consumers: 0, pending: 0, lastDeliveredId: idOf(20), entriesRead: O.some(20), lag: O.some(0) },
    { name: "shipping", consumers: 0, pending: 0, lastDeliveredId: idOf(15), entriesRead: O.none, lag: O.none },
  ],
  ...more,
});
const quiet: NonNullable<Answers["inspection"]> = {
  overview: () => of(overview()),
  countAfter: () => of({ count: 5, isComplete: true }),
};

function run(
  port: FakePort,
  more: Partial<WatchGroupOptions> = {},
  untilMs = 3_500,
  steps: Readonly<Record<number, () => void>> = {},
): Recording<GroupSnapshot> {
  return play(() => watchGroup(port.client, { ...options, ...more }), untilMs, steps);
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("watchGroup", () => {
  it("emits at once, and then every everyMs", () => {
    const port = new FakePort({ inspection: quiet });
    const { values, times, ended } = run(port);
    expect(times).toEqual([0, 1_000, 2_000, 3_000]);
    expect(values.map(({ at }) => at)).toEqual(times);
    expect(values[0]).toMatchObject({ presence: "group", length: 10, lag: O.some(5), lagSource: "counted" });
    expect(ended).toBeUndefined();
    expect(port.open.commands).toBe(0);
  });

  it("asks for all in one round trip, and counts in another", () => {
    const late = <A>(answer: A): ObservableInput<A> => timer(10).pipe(map(() => answer));
    const port = new FakePort({
      inspection: { overview: () => late(overview()), countAfter: () => late({ count: 5, isComplete: true }) },
    });
    run(port, { deadLetterStream: "elsewhere" }, 500);
    expect(port.sent).toEqual([
      { at: 0, name: "overview", args: ["orders"] },
      { at: 0, name: "details", args: [{ stream: "orders", group: "shipping" }, { deadLetterStream: "elsewhere", rows: 1_000 }] },
      { at: 10, name: "countAfter", args: ["orders", idOf(15), 10_000] },
    ]); // prettier-ignore
  });

  it("never lets two looks overlap: the next begins everyMs after the last has ended", () => {
    const port = new FakePort({ inspection: { ...quiet, overview: () => timer(2_500).pipe(map(() => overview())) } });
    expect(run(port, {}, 8_000).times).toEqual([2_500, 6_000]);
    expect(port.timesOf("overview")).toEqual([0, 3_500, 7_000]);
  });

  it("does not count where the lag is certain, where nobody is behind, or where it may not", () => {
    const certain = new FakePort({ inspection: quiet });
    expect(run(certain, { group: "billing" }).values[0]).toMatchObject({ lag: O.some(0), lagSource: "redis" });
    const forbidden = new FakePort({ inspection: quiet });
    expect(run(forbidden, { countLimit: 0 }).values[0]).toMatchObject({ lag: O.none, lagSource: "unknown" });
    const missing = new FakePort({ inspection: quiet });
    expect(run(missing, { group: "other" }).values[0]).toMatchObject({ presence: "noGroup", verdict: "stopped" });
    expect([certain, forbidden, missing].flatMap((port) => port.argsOf("countAfter"))).toEqual([]);
  });

  it("counts fewer entries where they are large", () => {
    const large = { ...overview().stream!, entryBytes: 40_000 };
    const port = new FakePort({ inspection: { ...quiet, overview: () => of(overview({ stream: large })) } });
    run(port, {}, 500);
    expect(port.argsOf("countAfter")).toEqual([["orders", idOf(15), 100]]);
  });

  it("emits a snapshot of what is missing, and watches it when it is there", () => {
    let there = false;
    const port = new FakePort({
      inspection: { ...quiet, overview: () => of(there ? overview() : overview({ stream: undefined, groups: [] })) },
    });
    const { values } = run(port, {}, 2_500, { 500: () => (there = true) });
    expect(values.map(({ presence }) => presence)).toEqual(["noStream", "group", "group"]);
  });

  it("has rates since the snapshot before, and a verdict on its window", () => {
    const moving = (): StreamOverview => {
      const seconds = nowMs() / 1_000;
      const stream = { length: 100, entriesAdded: 100 + 30 * seconds, ends: { first: idOf(1), last: idOf(1_000) }, entryBytes: 10 };
      const read = 50 + 20 * seconds;
      const group = { name: "shipping", consumers: 0, pending: 5 * seconds, lastDeliveredId: idOf(read), entriesRead: O.some(read) };
      return { at: nowMs(), stream, groups: [{ ...group, lag: O.some(50 + 10 * seconds) }] };
    };
    const port = new FakePort({
      inspection: { overview: () => of(moving()), countAfter: (_, __, count) => of({ count, isComplete: false }) },
    });
    const { values } = run(port, { window: 3, countLimit: 10 });
    expect(values.map(({ rates }) => O.toUndefined(rates.addedPerSecond))).toEqual([undefined, 30, 30, 30]);
    expect(values.map(({ rates }) => O.toUndefined(rates.deliveredPerSecond))).toEqual([undefined, 20, 20, 20]);
    expect(values.map(({ rates }) => O.toUndefined(rates.settledPerSecond))).toEqual([undefined, 15, 15, 15]);
    expect(values.map(({ verdict }) => verdict)).toEqual(["ok", "ok", "warning", "warning"]);
  });

  describe("when Redis can't be reached", () => {
    it("tries again on a new connection after a growing wait, says so, and emits nothing meanwhile", () => {
      let calls = 0;
      const status: SourceStatus[] = [];
      const port = new FakePort({
        inspection: {
          ...quiet,
          overview: () => ([2, 3, 5].includes((calls += 1)) ? throwError(() => new Error("LOADING Redis is loading")) : of(overview())),
        },
      });
      const { times, ended } = run(port, { status: { next: (each) => status.push(each) } });
      expect(times).toEqual([0, 1_113, 2_151, 3_151]); // 38 and 75 ms; 38 ms again after an answer
      expect(status.map((each) => each._tag === "reconnecting" && [each.attempt, each.delayMs])).toEqual([[1, 38], [2, 75], [1, 38]]); // prettier-ignore
      expect(ended).toBeUndefined();
      expect(port.open.commands).toBe(0);
    });

    it("does not wait for a lost connection's answer", () => {
      let connections = 0;
      const silent: Answers["inspection"] = {
        overview: () => ((connections += 1) === 1 ? NEVER : of(overview())),
        broken: timer(100).pipe(map(() => ({ attempt: 1, delayMs: 50, cause: new Error("read ECONNRESET") }))),
      };
      const status: SourceStatus[] = [];
      const port = new FakePort({ inspection: { ...quiet, ...silent } });
      expect(run(port, { status: { next: (each) => status.push(each) } }, 500).times).toEqual([138]);
      expect(status).toMatchObject([{ _tag: "reconnecting", cause: new Error("read ECONNRESET") }]);
    });

    it.each([
      ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
      ["NOPERM this user has no permissions to run the 'time' command", "AccessError"],
    ])("errors for what can't heal: %s", (message, tag) => {
      const port = new FakePort({ inspection: { ...quiet, details: () => throwError(() => new Error(message)) } });
      expect(run(port)).toMatchObject({ values: [], ended: "error", error: { _tag: tag } });
      expect(port.open.commands).toBe(0);
    });

    it("errors for a reply that it can't read", () => {
      const port = new FakePort({ inspection: { ...quiet, countAfter: () => throwError(() => new ReplyError("XRANGE", "null")) } });
      expect(run(port)).toMatchObject({ values: [], ended: "error", error: { _tag: "ReplyError" } });
    });
  });

  it("closes its connection when it is unsubscribed: between two looks, within one, and while it waits to try again", () => {
    const ports = [
      quiet,
      { ...quiet, overview: () => NEVER },
      { ...quiet, details: () => NEVER },
      { ...quiet, countAfter: () => NEVER },
      { ...quiet, overview: () => throwError(() => new Error("LOADING")) },
    ].map((inspection) => new FakePort({ inspection }));
    for (const port of ports) run(port, {}, 500);
    expect(ports.map((port) => port.open.commands)).toEqual([0, 0, 0, 0, 0]);
  });

  it("stops with a subscriber that had enough", () => {
    const port = new FakePort({ inspection: quiet });
    let recording: Recording<GroupSnapshot> | undefined;
    timeline({ 0: () => (recording = record(watchGroup(port.client, options).pipe(take(2)))) });
    expect(recording).toMatchObject({ ended: "complete", endedAt: 1_000 });
    expect(port.sent.filter(({ name }) => name === "overview")).toHaveLength(2);
    expect(port.open.commands).toBe(0);
  });

  it("is cold: each subscription has a connection and a window of its own", () => {
    const port = new FakePort({ inspection: quiet });
    const group$ = watchGroup(port.client, options);
    expect(port.open.commands).toBe(0);
    const both = [record(group$.pipe(take(1))), record(group$.pipe(take(1)))];
    expect(both.map(({ values }) => values[0]!.rates.addedPerSecond)).toEqual([O.none, O.none]);
  });

  it.each<readonly [Partial<Record<keyof WatchGroupOptions, unknown>>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ stream: "a}" }, /^Expected `stream` to have a whole hash tag/],
    [{ group: "" }, /^Expected `group`/],
    [{ deadLetterStream: "" }, /^Expected `deadLetterStream`/],
    [{ everyMs: 9 }, /^Expected `everyMs` to be an integer from 10 to 2147483647/],
    [{ everyMs: undefined }, /^Expected `everyMs`/],
    [{ window: 1 }, /^Expected `window` to be an integer from 2 to 1000/],
    [{ countLimit: -1 }, /^Expected `countLimit` to be an integer from 0 to 100000/],
    [{ countLimit: 100_001 }, /^Expected `countLimit`/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => watchGroup(new FakePort().client, { ...options, ...wrong } as WatchGroupOptions)).toThrow(message);
  });
});

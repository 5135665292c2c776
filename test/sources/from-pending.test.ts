import { concatMap, map, of, take, throwError, timer } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EntryIdOrd, toEntryId, type EntryId } from "../../src/model/entry-id.js";
import { toPendingEntry, type PendingEntry, type PendingSnapshot } from "../../src/model/pending.js";
import type { PendingRequest, StreamAdmin } from "../../src/redis/port.js";
import { fromPending, type FromPendingOptions } from "../../src/sources/from-pending.js";
import { idOf } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import type { SourceStatus } from "../../src/model/status.js";
import { play, record, type Recording } from "../support/virtual-time.js";

type Emitted = PendingEntry | PendingSnapshot;

const options: FromPendingOptions = { stream: "orders", group: "shipping" };

const row = (number: number, idleMs = number * 100): PendingEntry => toPendingEntry(idOf(number), "me", idleMs, 1);

/** A PEL that answers pages of XPENDING. */
function pel(...rows: PendingEntry[]): { rows: PendingEntry[]; pendingPage: StreamAdmin["pendingPage"] } {
  const after = (start: string, id: EntryId): boolean =>
    start === "-" ||
    (start.startsWith("(") ? EntryIdOrd.compare(id, toEntryId(start.slice(1))) > 0 : EntryIdOrd.compare(id, toEntryId(start)) >= 0);
  const until = (end: string, id: EntryId): boolean => end === "+" || EntryIdOrd.compare(id, toEntryId(end)) <= 0;
  return {
    rows,
    pendingPage: (_ref, { start, end, count }) => of(rows.filter(({ id }) => after(start, id) && until(end, id)).slice(0, count)),
  };
}

const portOf = (pendingPage: StreamAdmin["pendingPage"]): FakePort => new FakePort({ admin: { pendingPage } });

function run(
  port: FakePort,
  more: Partial<FromPendingOptions> = {},
  steps: Readonly<Record<number, () => void>> = {},
  untilMs = 60_000,
): Recording<Emitted> {
  return play(() => fromPending(port.client, { ...options, ...more }), untilMs, steps);
}

const requestsOf = (port: FakePort): PendingRequest[] => port.argsOf("pendingPage").map(([, request]) => request as PendingRequest);

/** Ids, and `S` with the count for the end of a scan. */
const outline = ({ values }: Recording<Emitted>): string[] =>
  values.map((each) => (each._tag === "PendingEntry" ? each.id : `S${each.count}`));

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("fromPending", () => {
  it("emits what is pending, in one scan, and completes", () => {
    const port = portOf(pel(row(1), row(2)).pendingPage);
    const recording = run(port);
    expect(recording.values).toEqual([row(1), row(2)]);
    expect(recording).toMatchObject({ ended: "complete", endedAt: 0 });
    expect(requestsOf(port)).toEqual([{ consumer: undefined, start: "-", end: "+", count: 500 }]);
    expect(port.open.commands).toBe(0);
  });

  it("is empty when nothing is", () => {
    expect(run(new FakePort())).toMatchObject({ values: [], ended: "complete" });
  });

  it("reads page by page, each after the last of the one before, and once more after a full one", () => {
    const port = portOf(pel(row(1), row(2), row(9), row(10)).pendingPage);
    expect(outline(run(port, { pageSize: 2 }))).toEqual(["1-0", "2-0", "9-0", "10-0"]);
    expect(requestsOf(port).map(({ start, count }) => [start, count])).toEqual([
      ["-", 2],
      ["(2-0", 2],
      ["(10-0", 2],
    ]);
  });

  it("asks for a consumer's, and for a range, both ends in it", () => {
    const port = portOf(pel(row(1), row(2), row(3), row(4)).pendingPage);
    const some = run(port, { consumer: "me", start: idOf(2), end: idOf(3), pageSize: 1 });
    expect(outline(some)).toEqual(["2-0", "3-0"]);
    expect(requestsOf(port)).toEqual(["2-0", "(2-0", "(3-0"].map((start) => ({ consumer: "me", start, end: "3-0", count: 1 })));
  });

  it("leaves out what is not idle for so long, without ending at a page of such", () => {
    const port = portOf(pel(row(1, 10), row(2, 20), row(3, 500), row(4, 499), toPendingEntry(idOf(5), "", -1, 2)).pendingPage);
    expect(outline(run(port, { minIdleMs: 500, pageSize: 2 }))).toEqual(["3-0", "5-0"]);
  });

  it("is cold: each subscription scans anew, on a connection of its own", () => {
    const port = portOf(pel(row(1)).pendingPage);
    const pending$ = fromPending(port.client, options);
    expect(port.open.commands).toBe(0);
    expect([record(pending$), record(pending$)].map(({ values }) => values.length)).toEqual([1, 1]);
    expect(port.open.commands).toBe(0);
  });

  it("stops in the middle of a page with a subscriber that had enough", () => {
    const port = portOf(pel(row(1), row(2), row(3)).pendingPage);
    const some = record(fromPending(port.client, { ...options, pageSize: 2 }).pipe(take(1)));
    expect(some.values).toEqual([row(1)]);
    expect(port.sent).toHaveLength(1);
    expect(port.open.commands).toBe(0);
  });

  it("closes its connection when it is unsubscribed while Redis thinks", () => {
    const port = portOf(() => timer(1_000).pipe(map(() => [row(1)])));
    expect(run(port, {}, {}, 500)).toMatchObject({ values: [], ended: undefined });
    expect(port.open.commands).toBe(0);
  });

  describe("everyMs", () => {
    it("scans again after a rest, and says where each scan ends and when", () => {
      const { rows, pendingPage } = pel(row(1));
      const port = portOf((ref, request) => timer(100).pipe(concatMap(() => pendingPage(ref, request))));
      const recording = run(port, { everyMs: 1_000 }, { 500: () => rows.push(row(2)), 1_600: () => rows.splice(0) }, 2_500);
      expect(outline(recording)).toEqual(["1-0", "S1", "1-0", "2-0", "S2", "S0"]);
      expect(recording.times).toEqual([100, 100, 1_200, 1_200, 1_200, 2_300]);
      expect(recording.values.at(-1)).toEqual({ _tag: "PendingSnapshot", count: 0, at: 2_300 });
      expect(port.timesOf("pendingPage")).toEqual([0, 1_100, 2_200]);
      expect(port.open.commands).toBe(0);
    });

    it("counts what it emitted, not what it looked at", () => {
      const port = portOf(pel(row(1, 10), row(2, 500)).pendingPage);
      expect(outline(run(port, { everyMs: 1_000, minIdleMs: 100 }, {}, 500))).toEqual(["2-0", "S1"]);
    });
  });

  describe("when Redis answers with an error", () => {
    it("asks again after a growing wait, and goes on where it was", () => {
      const { pendingPage } = pel(row(1), row(2), row(3));
      let calls = 0;
      const port = portOf((ref, request) =>
        [2, 3, 5].includes((calls += 1)) ? throwError(() => new Error("Connection is closed.")) : pendingPage(ref, request),
      );
      const attempts: unknown[] = [];
      const status = { next: (each: SourceStatus) => attempts.push(each._tag === "reconnecting" && [each.attempt, each.delayMs]) };
      const recording = run(port, { pageSize: 1, status });
      expect(outline(recording)).toEqual(["1-0", "2-0", "3-0"]);
      expect(recording.ended).toBe("complete");
      expect(port.timesOf("pendingPage")).toEqual([0, 0, 38, 113, 113, 151, 151]); // 38 and 75 ms; 38 ms again after an answer
      expect(attempts).toEqual([[1, 38], [2, 75], [1, 38]]); // prettier-ignore
    });

    it.each([
      ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
      ["NOPERM this user has no permissions to run the 'xpending' command", "AccessError"],
      ["ERR syntax error", "CommandError"],
    ])("errors for what can't heal: %s", (message, tag) => {
      const port = portOf(() => throwError(() => new Error(message)));
      expect(run(port, { everyMs: 100 })).toMatchObject({ ended: "error", error: { _tag: tag } });
      expect(port.sent).toHaveLength(1);
      expect(port.open.commands).toBe(0);
    });
  });

  it.each<readonly [Partial<Record<keyof FromPendingOptions, unknown>>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ group: "" }, /^Expected `group`/],
    [{ consumer: "" }, /^Expected `consumer`/],
    [{ minIdleMs: -1 }, /^Expected `minIdleMs` to be an integer of 0 or more/],
    [{ start: "0" }, /^Expected `start` to be an entry id/],
    [{ end: "+" }, /^Expected `end` to be an entry id/],
    [{ start: "10-0", end: "9-0" }, /^Expected `start` to be no later than `end`/],
    [{ pageSize: 0 }, /^Expected `pageSize` to be an integer from 1 to 10000/],
    [{ everyMs: 9 }, /^Expected `everyMs` to be an integer from 10 to 2147483647/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => fromPending(new FakePort().client, { ...options, ...wrong } as FromPendingOptions)).toThrow(message);
  });
});

import { hostname } from "node:os";
import { config, map, NEVER, of, Subject, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { groupSettings } from "../../src/flow/group-settings.js";
import { openSource } from "../../src/flow/open-source.js";
import { readGroups } from "../../src/flow/read-groups.js";
import type { EntryId } from "../../src/model/entry-id.js";
import type { IdlePage, Outage, Renewal, StreamPage } from "../../src/redis/port.js";
import { idOf } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { Feed, GroupRun, inTurn, taken } from "../support/group-run.js";
import { record, timeline } from "../support/virtual-time.js";

const error = (message: string): Observable<never> => throwError(() => new Error(message));
const noneIdle: IdlePage = { entries: [], deleted: [], cursor: undefined, mine: [] };
const renewed = (lost: readonly EntryId[] = [], deleted: readonly EntryId[] = []): Observable<Renewal> => of({ lost, deleted, absent: [] });

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a subscription", () => {
  it("is cold: opens nothing before, and everything anew each time", () => {
    const port = new FakePort();
    const source$ = openSource(port, groupSettings({ stream: "orders", group: "shipping", startId: "0" }), readGroups);
    expect(port.open).toEqual({ commands: 0, readers: 0 });
    timeline({
      0: () => {
        const both = [record(source$), record(source$)];
        expect(port.open).toEqual({ commands: 2, readers: 2 });
        both.forEach(({ stop }) => stop());
      },
    });
    expect(port.open).toEqual({ commands: 0, readers: 0 });
    const consumers = port.reads.map(({ consumer }) => consumer);
    expect(new Set(consumers).size).toBe(2);
  });

  it("makes up the name of its consumer from host and process", () => {
    vi.mocked(Math.random).mockRestore();
    const run = new GroupRun({}, { consumer: undefined }).play(1);
    const { consumer = "" } = run.status("starting")[0]!;
    expect(consumer.startsWith(`${hostname()}.${process.pid}.`)).toBe(true);
    expect(run.port.reads[0]!.consumer).toBe(consumer);
  });

  it("says that it starts before it does anything, and that it stopped when it is gone", () => {
    const run = new GroupRun().play(10);
    expect(run.statuses[0]).toEqual({ _tag: "starting", streams: ["orders"], group: "shipping", consumer: "me", at: 0 });
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "unsubscribed", released: 0, at: 10 });
    expect(run.tags).toEqual(["starting", "reading", "stopped"]);
  });

  it("goes on although its status observer throws, which is reported as RxJS does", async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => void unhandled.push(error);
    const broken = { next: () => { throw new Error("observer"); } }; // prettier-ignore
    const run = new GroupRun({ read: new Feed().read }, { status: broken }).play(10);
    expect(run.recording.ended).toBeUndefined();
    expect(run.port.reads.length).toBeGreaterThan(0);
    await vi.waitFor(() => expect(unhandled).toEqual(Array.from({ length: 4 }, () => new Error("observer"))));
    config.onUnhandledError = null;
  });

  it("needs no status observer", () => {
    const run = new GroupRun({ read: new Feed().read }, { status: undefined, consumer: undefined }).play(10);
    expect(run.statuses).toEqual([]);
    expect(run.port.leaves).toHaveLength(1);
  });
});

describe("leases", () => {
  it("are renewed at a third of their time, for what is open and nothing else", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { leaseMs: 900 });
    run.play(1_250, {
      310: () => feed.push(1, 2, 3),
      400: () => run.settle([1]),
      700: () => run.begin(2),
      1_000: () => run.settle([2, 3]),
    });
    expect(run.port.sent.filter(({ name }) => name === "renew").map(({ at, args }) => [at, ...args])).toEqual([
      [600, { stream: "orders", group: "shipping", consumer: "me" }, ["2-0", "3-0"]],
      [900, { stream: "orders", group: "shipping", consumer: "me" }, ["3-0"]],
    ]);
  });

  it("that are lost abort the delivery and are reported; what is being settled is not touched", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: () => renewed([idOf(1), idOf(2)]) }, { leaseMs: 900 });
    const signals: AbortSignal[] = [];
    run.play(650, {
      10: () => feed.push(1, 2, 3),
      20: () => signals.push(...run.deliveries.map(({ signal }) => signal)),
      30: () => run.begin(2),
    });
    expect(run.status("leaseLost")).toEqual([{ _tag: "leaseLost", stream: "orders", ids: ["1-0"], at: 300 }]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, true]); // 3 at the end, when it was handed back
    expect((signals[0]!.reason as Error).message).toMatch(/^The lease of this delivery is lost: another consumer of group "shipping"/);
  });

  it("that are lost are not renewed any more, nor reported again, and cost credit until the sink has seen them", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: inTurn(() => renewed([idOf(1)]), () => renewed()) }, { leaseMs: 900, maxInFlight: 2 }); // prettier-ignore
    run.play(1_000, { 10: () => feed.push(1, 2, 3), 700: () => run.settle([1]) });
    expect(run.port.argsOf("renew").map(([, ids]) => ids)).toEqual([["1-0", "2-0"], ["2-0"], ["2-0", "3-0"]]); // prettier-ignore
    expect(run.recording.times).toEqual([10, 10, 700]);
  });

  it("of entries that were deleted are reported as tombstones", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: inTurn(() => renewed([], [idOf(1)]), () => renewed()) }, { leaseMs: 900 }); // prettier-ignore
    run.play(400, { 10: () => feed.push(1) });
    expect(run.status("tombstone")).toEqual([{ _tag: "tombstone", stream: "orders", ids: ["1-0"], at: 300 }]);
    expect(run.tags).not.toContain("leaseLost");
  });

  it("are renewed again in time when a renewal failed for the moment", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: inTurn<Observable<Renewal>>(() => error("Connection is closed."), () => error("NOGROUP No such key"), () => renewed()) }, { leaseMs: 900 }); // prettier-ignore
    run.play(1_000, { 10: () => feed.push(1) });
    expect(run.port.timesOf("renew")).toEqual([300, 600, 900]);
    expect(run.recording.ended).toBeUndefined();
    expect(run.status("renewalFailed")).toMatchObject([
      { stream: "orders", count: 1, cause: new Error("Connection is closed."), at: 300 },
      { cause: new Error("NOGROUP No such key"), at: 600 },
    ]);
  });

  it("that may not be renewed end the source", () => {
    const feed = new Feed();
    const run = new GroupRun(
      { read: feed.read, renew: () => error("NOPERM this user has no permissions to run the 'xclaim' command") },
      { leaseMs: 900 },
    );
    run.play(1_000, { 10: () => feed.push(1) });
    expect(run.recording).toMatchObject({ ended: "error", endedAt: 300, error: { _tag: "AccessError" } });
  });

  it("are not renewed twice at a time when Redis is slow", () => {
    const feed = new Feed();
    const run = new GroupRun(
      { read: feed.read, renew: () => timer(700).pipe(map(() => ({ lost: [], deleted: [], absent: [] }))) },
      { leaseMs: 900 },
    );
    run.play(2_000, { 10: () => feed.push(1) });
    expect(run.port.timesOf("renew")).toEqual([300, 1_200]);
  });

  it("are renewed stream by stream", () => {
    const read = inTurn<Observable<readonly StreamPage[]>>(
      () => of([{ stream: "a", entries: [[idOf(1), ["n", "1"]]] }, { stream: "b", entries: [[idOf(2), ["n", "2"]]] }]), // prettier-ignore
      () => NEVER,
    );
    const run = new GroupRun({ read, renew: (ref) => renewed(ref.stream === "a" ? [idOf(2)] : []) }, { stream: ["a", "b"], leaseMs: 900 });
    run.play(400);
    expect(run.port.argsOf("renew").map(([ref, ids]) => [(ref as { stream: string }).stream, ids])).toEqual([["a", ["1-0"]], ["b", ["2-0"]]]); // prettier-ignore
    expect(run.status("leaseLost")).toEqual([]); // 2-0 is of stream b
  });
});

describe("a drain", () => {
  /** A read that is under way may still answer for so long. */
  const lastReadMs = 50;

  it("reads no more, keeps the leases, and completes when the last delivery is settled", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { leaseMs: 900 });
    run.play(3_000, {
      10: () => feed.push(1, 2),
      100: () => run.drain.abort(),
      200: () => feed.push(3),
      700: () => run.settle([1]),
      1_000: () => run.settle([2]),
    });
    expect(run.ids).toEqual(["1-0", "2-0"]);
    expect(run.port.timesOf("renew")).toEqual([300, 600, 900]);
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 1_000 });
    expect(run.status("draining")).toEqual([{ _tag: "draining", unsettled: 2, at: 100 + lastReadMs }]);
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "drained", released: 0, at: 1_000 });
    expect(run.port.sent.filter(({ name, at }) => at > 100 && !["renew", "closeReader", "leave"].includes(name))).toEqual([]);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("completes soon when nothing is in flight", () => {
    const run = new GroupRun({}, { consumer: undefined });
    run.play(500, { 100: () => run.drain.abort() });
    expect(run.recording.ended).toBe("complete");
    expect(run.recording.endedAt).toBeLessThanOrEqual(100 + lastReadMs);
    expect(run.port.leaves).toHaveLength(1);
  });

  it("hands out what the read under way still answers, and is then over with it", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    run.play(500, { 100: () => run.drain.abort(), 120: () => feed.push(1), 125: () => feed.push(2), 300: () => run.settle([1]) });
    expect(run.ids).toEqual(["1-0"]);
    expect(run.port.reads).toHaveLength(1);
    expect(run.status("draining")).toEqual([{ _tag: "draining", unsettled: 1, at: 120 }]);
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 300 });
  });

  it("begins nothing new while it waits for that read", () => {
    const run = new GroupRun({ read: () => timer(30).pipe(map(() => [])) }, { consumer: undefined });
    const before: number[] = [];
    run.play(500, { 100: () => { before.push(run.port.sent.length); run.drain.abort(); } }); // prettier-ignore
    expect(run.port.sent.slice(before[0]).map(({ name }) => name)).toEqual(["closeReader", "leave"]);
    expect(run.recording.ended).toBe("complete");
  });

  it("while it waits for credit is over with reading, and completes when the last is settled", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 1 });
    run.play(900, { 10: () => feed.push(1, 2), 100: () => run.drain.abort(), 400: () => run.settle([1]) });
    expect(run.ids).toEqual(["1-0"]);
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 400 });
  });

  it("does not read what could be read with credit that comes back at once", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 1 });
    run.play(900, { 10: () => feed.push(1, 2), 100: () => run.drain.abort(), 110: () => run.settle([1]) });
    expect(run.ids).toEqual(["1-0"]);
    expect(run.recording.ended).toBe("complete");
  });

  it("that was asked for before the subscription reads nothing at all", () => {
    const run = new GroupRun();
    run.drain.abort();
    run.play(500);
    expect(run.recording.ended).toBe("complete");
    expect(run.port.reads).toEqual([]);
    expect(run.tags).toEqual(["starting", "draining", "stopped"]);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("hands back at the deadline what is not settled, and aborts it", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, leave: () => of(2) }, { drainTimeoutMs: 400 });
    const signals: AbortSignal[] = [];
    run.play(2_000, {
      10: () => feed.push(1, 2, 3),
      50: () => run.settle([1]),
      60: () => signals.push(...run.deliveries.slice(1).map(({ signal }) => signal)),
      100: () => run.drain.abort(),
    });
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 500 + lastReadMs });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "drained", released: 2, at: 500 + lastReadMs });
    expect(run.port.leaves).toEqual([{ remove: false, only: ["2-0", "3-0"] }]);
  });

  it("leaves alone at the deadline what a sink is writing", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { drainTimeoutMs: 400 });
    run.play(2_000, { 10: () => feed.push(1, 2), 50: () => run.begin(2), 100: () => run.drain.abort() });
    expect(run.port.leaves).toEqual([{ remove: false, only: ["1-0"] }]);
  });

  it("gives up at once with a deadline of 0", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { drainTimeoutMs: 0 });
    run.play(500, { 10: () => feed.push(1), 100: () => run.drain.abort() });
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 100 + lastReadMs });
  });

  it("drops a read that stays blocked", () => {
    const run = new GroupRun({ read: () => NEVER });
    run.play(500, { 100: () => run.drain.abort() });
    expect(run.port.timesOf("closeReader")).toEqual([100 + lastReadMs]);
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 100 + lastReadMs });
  });

  it("while Redis is away completes as well", () => {
    const run = new GroupRun({ read: () => error("ECONNREFUSED"), leave: () => NEVER });
    run.play(10_000, { 100: () => run.drain.abort() });
    expect(run.recording.ended).toBe("complete");
    expect(run.recording.endedAt).toBeLessThanOrEqual(2_100 + lastReadMs);
    expect(run.statuses.at(-1)).toMatchObject({ _tag: "stopped", reason: "drained", released: 0 });
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("makes what is held back in a buffer flush: its source waits for it", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    const starved = vi.fn();
    run.play(300, {
      10: () => feed.push(1),
      20: () => (run.deliveries[0] as unknown as { origin: { watch: (watcher: object) => void } }).origin.watch({ starved }),
      100: () => run.drain.abort(),
      [101 + lastReadMs]: () => expect(starved).toHaveBeenCalledTimes(1),
      200: () => run.settle([1]),
    });
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 200 });
  });

  it("can still end in an error that does not heal", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: () => error("NOAUTH Authentication required.") }, { leaseMs: 900 });
    run.play(2_000, { 10: () => feed.push(1), 100: () => run.drain.abort() });
    expect(run.recording).toMatchObject({ ended: "error", endedAt: 300, error: { _tag: "AccessError" } });
    expect(run.status("stopped")).toMatchObject([{ reason: "error" }]);
  });

  it("leaves no listener at the signal behind", () => {
    const run = new GroupRun();
    const added = vi.spyOn(run.drain.signal, "addEventListener");
    const removed = vi.spyOn(run.drain.signal, "removeEventListener");
    run.play(100);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  });
});

describe("an unsubscription", () => {
  it("leaves once, hands back what is open, and leaves alone what is being settled", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, leave: () => of(2) });
    const signals: AbortSignal[] = [];
    run.play(100, {
      10: () => feed.push(1, 2, 3),
      20: () => run.begin(2),
      30: () => signals.push(...run.deliveries.map(({ signal }) => signal)),
    });
    expect(run.port.sent.filter(({ name }) => name === "leave").map(({ at, args }) => [at, ...args])).toEqual([
      [100, { stream: "orders", group: "shipping", consumer: "me" }, { remove: false, only: ["1-0", "3-0"] }],
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, true]);
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "unsubscribed", released: 2, at: 100 });
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("removes a consumer whose name was made up", () => {
    expect(new GroupRun({}, { consumer: undefined }).play(10).port.leaves).toEqual([{ remove: true }]);
  });

  it("leaves each of its streams, and adds up what was handed back", () => {
    const run = new GroupRun({ leave: (ref) => of(ref.stream === "a" ? 1 : 2) }, { stream: ["a", "b"], consumer: undefined }).play(10);
    expect(run.port.argsOf("leave").map(([ref]) => (ref as { stream: string }).stream)).toEqual(["a", "b"]);
    expect(run.status("stopped")).toMatchObject([{ released: 3 }]);
  });

  it("leaves the other streams although one can't be left", () => {
    const run = new GroupRun(
      { leave: (ref) => (ref.stream === "a" ? error("NOGROUP No such key 'a'") : of(2)) },
      { stream: ["a", "b"], consumer: undefined },
    ).play(10);
    expect(run.status("stopped")).toMatchObject([{ released: 2 }]);
    expect(run.port.open.commands).toBe(0);
  });

  it("leaves only when the server has noticed that the blocked read is over: it might hand out more until then", () => {
    const answers = { read: () => NEVER, closeReader: () => timer(70).pipe(map(() => undefined)) };
    const run = new GroupRun(answers, { consumer: undefined }).play(100);
    expect(run.port.timesOf("leave")).toEqual([170]);
    expect(run.status("stopped")).toMatchObject([{ at: 170 }]);
  });

  it("waits no longer than 2 s for a server that is gone, and closes its connection", () => {
    const run = new GroupRun({ leave: () => NEVER }, { consumer: undefined }).play(100);
    expect(run.status("stopped")).toEqual([{ _tag: "stopped", reason: "unsubscribed", released: 0, at: 2_100 }]);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("during a drain leaves once, too", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    run.play(300, { 10: () => feed.push(1), 100: () => run.drain.abort() });
    expect(run.port.leaves).toHaveLength(1);
    expect(run.status("stopped")).toMatchObject([{ reason: "unsubscribed" }]);
  });

  it("while the drain's departure is under way does not leave twice, and lets it come to its end", () => {
    const run = new GroupRun({ leave: () => timer(50).pipe(map(() => 3)) }, { consumer: undefined });
    run.play(170, { 100: () => run.drain.abort() });
    expect(run.port.leaves).toHaveLength(1);
    expect(run.status("stopped")).toEqual([{ _tag: "stopped", reason: "drained", released: 3, at: 200 }]);
  });
});

describe("entries that are in flight here and pending for nobody", () => {
  it("are made pending again, but for those that were settled meanwhile", () => {
    const feed = new Feed();
    const renew = (_: unknown, ids: readonly EntryId[]): Observable<Renewal> =>
      timer(20).pipe(map(() => ({ lost: [], deleted: [], absent: ids })));
    const run = new GroupRun({ read: feed.read, renew }, { leaseMs: 900 });
    run.play(400, { 10: () => feed.push(1, 2), 310: () => run.begin(2) });
    expect(run.port.argsOf("adopt")).toEqual([[{ stream: "orders", group: "shipping", consumer: "me" }, ["1-0"]]]);
    expect(run.status("adopted")).toMatchObject([{ stream: "orders", ids: ["1-0"] }]);
    expect(run.tags).not.toContain("leaseLost");
  });
});

describe("an error", () => {
  it("leaves as well, behind the subscriber's back, and says why it stopped", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: inTurn<Observable<readonly StreamPage[]>>(() => feed.read({ group: "", consumer: "", streams: [], count: 9, blockMs: 999 }), () => error("WRONGTYPE Operation against a key")), leave: () => timer(40).pipe(map(() => 1)) }); // prettier-ignore
    run.play(500, { 100: () => feed.push(1) });
    expect(run.recording).toMatchObject({ ended: "error", endedAt: 100, error: { _tag: "WrongTypeError" } });
    expect(run.status("stopped")).toEqual([{ _tag: "stopped", reason: "error", released: 1, at: 140 }]);
    expect(run.port.leaves).toHaveLength(1);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });
});

describe("deliveries that nobody settles", () => {
  it("are reported as stalled, each once", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { stalledAfterMs: 400 });
    run.play(1_500, { 50: () => feed.push(1, 2), 900: () => run.settle([1]) });
    const stalled = run.status("stalled");
    expect(stalled.map(({ at, unsettled, oldest, idleMs }) => [at, unsettled, oldest, idleMs])).toEqual([
      [500, 2, "1-0", 450],
      [900, 1, "2-0", 850],
    ]);
    expect(stalled[0]).not.toHaveProperty("cause");
  });

  it("are not reported while they are settled in time", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { stalledAfterMs: 400 });
    run.play(1_500, { 50: () => feed.push(1), 300: () => run.settle([1]), 350: () => feed.push(2), 600: () => run.settle([2]) });
    expect(run.tags).not.toContain("stalled");
  });

  it("because the sink can't write are reported with the reason", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    const cause = new Error("READONLY");
    run.play(200, {
      50: () => feed.push(1),
      100: () => (run.deliveries[0] as unknown as { origin: { hindered: (by: unknown) => void } }).origin.hindered(cause),
    });
    expect(run.status("stalled")).toEqual([{ _tag: "stalled", unsettled: 1, oldest: "1-0", idleMs: 50, cause, at: 100 }]);
  });
});

describe("a sink that can't write, when nothing is in flight any more", () => {
  it("is not reported as stalled", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    run.play(200, {
      50: () => feed.push(1),
      60: () => run.settle([1]),
      100: () => (run.deliveries[0] as unknown as { origin: { hindered: (by: unknown) => void } }).origin.hindered("late"),
    });
    expect(run.tags).not.toContain("stalled");
  });
});

describe("a slow subscriber", () => {
  it("that never settles makes it hold no more than the window", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, takeIdle: () => of(noneIdle) }, { maxInFlight: 5 });
    run.play(30_000, { 10: () => feed.push(...Array.from({ length: 100 }, (_, index) => index + 1)) });
    expect(run.deliveries).toHaveLength(5);
    expect(run.port.reads.length).toBeLessThanOrEqual(2);
    expect(run.status("starved")).toHaveLength(1);
  });

  it("does not keep stale entries from being handed out when credit comes back", () => {
    const feed = new Feed();
    const idlePages = inTurn<Observable<IdlePage>>(() => of(noneIdle), () => of({ ...noneIdle, entries: [taken(50)] }), () => of(noneIdle)); // prettier-ignore
    const answers = {
      read: feed.read,
      takeIdle: (_ref: unknown, { owner }: { owner?: string }) => (owner === undefined ? idlePages() : of(noneIdle)),
    };
    const run = new GroupRun(answers, { maxInFlight: 2, leaseMs: 1_000 });
    run.play(1_000, { 10: () => feed.push(1, 2, 3), 600: () => run.settle([1]) });
    expect(run.ids).toEqual(["1-0", "2-0", "50-0"]);
  });
});

describe("what the status says", () => {
  it("is why nothing happens while the command connection is away", () => {
    const outage = { attempt: 3, delayMs: 400, cause: new Error("connect ECONNREFUSED") };
    const run = new GroupRun({ broken: timer(50).pipe(map(() => outage)), createGroup: () => NEVER }).play(100);
    expect(run.status("reconnecting")).toEqual([{ _tag: "reconnecting", ...outage, at: 50 }]);
  });

  it("is nothing after it has stopped", () => {
    const trouble$ = new Subject<Outage>();
    const run = new GroupRun({ broken: trouble$, read: () => error("ECONNRESET") });
    run.play(100, {});
    trouble$.next({ attempt: 1, delayMs: 50, cause: "gone" });
    expect(run.tags.indexOf("stopped")).toBe(run.tags.length - 1);
    expect(trouble$.observed).toBe(false);
  });
});

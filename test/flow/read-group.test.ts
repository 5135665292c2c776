import fc from "fast-check";
import { map, NEVER, of, Subject, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DuePage, IdlePage, IdleRequest, StreamPage, Outage } from "../../src/redis/port.js";
import { quietRead, type Answers } from "../support/fake-port.js";
import { entry, Feed, GroupRun, inTurn, taken } from "../support/group-run.js";
import { idOf } from "../support/deliveries.js";
import { nowMs } from "../support/virtual-time.js";

const error = (message: string): Observable<never> => throwError(() => new Error(message));
const noGroup = "NOGROUP No such key 'orders' or consumer group 'shipping' in XREADGROUP with GROUP option";
const idle = (page: Partial<IdlePage> = {}): Observable<IdlePage> => of({ entries: [], deleted: [], cursor: undefined, mine: [], ...page });

/** What asks for own entries, and for stale ones. */
const requests = (run: GroupRun, whose: "own" | "stale"): (IdleRequest & { at: number })[] =>
  run.port.sent
    .filter(({ name }) => name === "takeIdle")
    .map(({ at, args }) => ({ at, ...(args[1] as IdleRequest) }))
    .filter(({ owner }) => (owner !== undefined) === (whose === "own"));

/** Answers for the two uses of `takeIdle`. */
const pending = (own: () => Observable<IdlePage>, stale: () => Observable<IdlePage> = () => idle()): Pick<Answers, "takeIdle"> => ({
  takeIdle: (_ref, { owner }) => (owner === undefined ? stale() : own()),
});

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // looks every 1000 ms, sweeps every quarter of a lease, waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("reading", () => {
  it("asks for its free credit, and not one more", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 10 });
    run.play(900, { 10: () => feed.push(1, 2, 3, 4), 20: () => run.settle([2]), 30: () => feed.push(5, 6) });
    expect(run.port.reads.map(({ at, count }) => [at, count])).toEqual([
      [0, 10],
      [10, 6],
      [30, 5],
    ]);
    expect(run.ids).toEqual(["1-0", "2-0", "3-0", "4-0", "5-0", "6-0"]);
  });

  it("hands out new entries with delivery count 1 and what Redis knows of them", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }).play(50, { 10: () => feed.push(1) });
    expect(run.deliveries[0]).toMatchObject({
      stream: "orders",
      id: "1-0",
      group: "shipping",
      consumer: "me",
      deliveryCount: 1,
      pairs: ["n", "1"],
    });
  });

  it("never has more out and asked for than the window, however it is fed and settled", () => {
    const step = fc.record({ at: fc.integer({ min: 1, max: 3_000 }), feed: fc.nat(30), settle: fc.nat(30) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 30 }), (maxInFlight, plan) => {
        const feed = new Feed();
        const settled = new Set<string>();
        let worst = 0;
        let next = 1;
        const read: Answers["read"] = (request) => {
          worst = Math.max(worst, request.count * request.streams.length + run.deliveries.length - settled.size);
          return feed.read(request);
        };
        const run = new GroupRun({ read }, { maxInFlight });
        const steps: Record<number, () => void> = {};
        for (const each of plan) {
          steps[each.at] = () => {
            for (const { id } of run.deliveries.filter(({ id }) => !settled.has(id)).slice(0, each.settle)) {
              settled.add(id);
              run.settle([Number.parseInt(id)]);
            }
            feed.push(...Array.from({ length: each.feed }, () => next++));
          };
        }
        run.play(3_100, steps);
        expect(worst).toBeLessThanOrEqual(maxInFlight);
        expect(run.deliveries.length - settled.size).toBeLessThanOrEqual(maxInFlight);
        expect(new Set(run.ids).size).toBe(run.ids.length);
        expect(run.ids).toEqual(Array.from({ length: run.ids.length }, (_, index) => idOf(index + 1))); // in order, no gaps
      }),
      { numRuns: 40 },
    );
  });

  it("waits without credit, reports it once, and goes on when credit comes back", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 2 });
    run.play(600, { 10: () => feed.push(1, 2, 3), 300: () => run.settle([1]), 301: () => run.settle([2]) });
    expect(run.port.timesOf("read")).toEqual([0, 300, 301]);
    expect(run.status("starved")).toEqual([{ _tag: "starved", unsettled: 2, at: 110 }]);
    expect(run.tags.slice(0, 4)).toEqual(["starting", "reading", "starved", "reading"]);
    expect(run.ids).toEqual(["1-0", "2-0", "3-0"]);
  });

  it("blocks for blockMs, and shorter when something else is to be done sooner", () => {
    const run = new GroupRun({}, { blockMs: 400 }).play(990);
    expect(run.port.reads.map(({ at, blockMs }) => [at, blockMs])).toEqual([
      [0, 400],
      [400, 400],
      [800, 400],
    ]);
  });

  it("reads on the connection of a reader alone, one read at a time", () => {
    const run = new GroupRun({}).play(5_000);
    expect(run.port.reads.length).toBeGreaterThan(2);
    expect(run.port.reads.length).toBeLessThan(15); // about two commands a second while idle
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it.each([
    ["with nothing", (): Observable<readonly StreamPage[]> => of([])],
    ["with entries that were deleted", (): Observable<readonly StreamPage[]> => of([{ stream: "orders", entries: [[idOf(1), null]] }])],
  ])("rests when reads come back at once %s: fewer than 10 a second", (_, read) => {
    const run = new GroupRun({ read }).play(10_000);
    expect(run.port.reads.length).toBeLessThan(100);
    expect(run.port.reads.slice(0, 4).map(({ at }) => at)).toEqual([0, 10, 30, 70]); // but not long at first
    expect(run.deliveries).toEqual([]);
  });

  it("does not rest after it was given something", () => {
    const nothing = (): Observable<readonly StreamPage[]> => of([]);
    const something = (): Observable<readonly StreamPage[]> => of([{ stream: "orders", entries: [entry(1)] }]);
    const run = new GroupRun({ read: inTurn(nothing, nothing, something, nothing, nothing, () => NEVER) }).play(200);
    expect(run.port.timesOf("read")).toEqual([0, 10, 30, 30, 40, 60]);
  });

  describe("of several streams", () => {
    const streams = ["a", "b", "c"];

    it("divides the credit, in one command", () => {
      const run = new GroupRun({}, { stream: streams, maxInFlight: 11 }).play(10);
      expect(run.port.reads).toMatchObject([{ streams, count: 3 }]);
      expect(run.port.argsOf("createGroup").map(([ref]) => ref)).toEqual(streams.map((stream) => ({ stream, group: "shipping" })));
    });

    it("hands out each entry under its own stream's name", () => {
      const read = inTurn<Observable<readonly StreamPage[]>>(
        () => of([{ stream: "a", entries: [entry(1)] }, { stream: "c", entries: [entry(1), entry(2)] }]), // prettier-ignore
        () => NEVER,
      );
      const run = new GroupRun({ read }, { stream: streams }).play(10);
      expect(run.deliveries.map(({ stream, id }) => `${stream} ${id}`)).toEqual(["a 1-0", "c 1-0", "c 2-0"]);
    });

    it("takes turns, and does not block, while there is less credit than streams", () => {
      const feed = new Feed("a");
      const run = new GroupRun({ read: feed.read }, { stream: streams, maxInFlight: 3 });
      run.play(60, { 0: () => feed.push(1), 5: () => feed.push(2) });
      const [, ...scarce] = run.port.reads;
      expect(scarce.length).toBeGreaterThan(1);
      for (const { count, blockMs, streams: asked } of scarce) {
        expect(blockMs).toBeUndefined();
        expect(count * asked.length).toBeLessThanOrEqual(2);
      }
      expect(new Set(scarce.flatMap(({ streams: asked }) => asked))).toEqual(new Set(streams));
    });

    it("gives every other read to those alone whose pages are full", () => {
      const asked: string[] = [];
      const read: Answers["read"] = (request) => {
        asked.push(`${request.streams.join("")} ${request.count} ${request.blockMs === undefined ? "at once" : "blocked"}`);
        const busy = request.streams.includes("b") && asked.length < 6 ? Array.from({ length: request.count }, (_, n) => entry(asked.length * 100 + n)) : []; // prettier-ignore
        return busy.length === 0 ? quietRead(request) : timer(1).pipe(map(() => [{ stream: "b", entries: busy }]));
      };
      new GroupRun({ read }, { stream: streams, maxInFlight: 120, blockMs: 50 }).play(20);
      expect(asked).toEqual(["abc 38 blocked", "b 82 at once"]);
    });

    it("reads streams of different Cluster slots apart, each with its share of the window", () => {
      const run = new GroupRun({ placeOf: (stream) => Number(stream === "b") }, { stream: streams, maxInFlight: 10 }).play(10);
      expect(run.port.reads.map(({ streams: asked, count }) => [asked, count])).toEqual([
        [["a", "c"], 2],
        [["b"], 5],
      ]);
    });
  });
});

describe("trouble", () => {
  it("is retried with growing waits that are reported, and begins anew after an answer", () => {
    const broken = (): Observable<never> => error("Connection is closed.");
    const nothing = (): Observable<readonly StreamPage[]> => timer(20).pipe(map(() => []));
    const run = new GroupRun({ read: inTurn(broken, broken, broken, nothing, broken, () => NEVER) }, { blockMs: 20 }).play(1_000);
    expect(run.status("reconnecting").map(({ attempt, delayMs, at }) => [attempt, delayMs, at])).toEqual([
      [1, 38, 0],
      [2, 75, 38],
      [3, 150, 113],
      [1, 38, 283],
    ]);
    expect(run.status("reconnecting")[0]!.cause).toEqual(new Error("Connection is closed."));
    expect(run.tags).toEqual(["starting", "reading", "reconnecting", "reading", "reconnecting", "reading", "reconnecting", "reading", "reconnecting", "reading", "stopped"]); // prettier-ignore
    expect(run.recording.ended).toBeUndefined();
  });

  it.each([
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "UNBLOCKED force unblock from blocking operation",
    "CLUSTERDOWN The cluster is down",
    "MASTERDOWN Link with MASTER is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
  ])("goes on after %s", (message) => {
    const feed = new Feed();
    const run = new GroupRun({ read: inTurn(() => error(message), () => feed.read({ group: "", consumer: "", streams: [], count: 5, blockMs: 100 })) }); // prettier-ignore
    run.play(100, { 50: () => feed.push(1) });
    expect(run.ids).toEqual(["1-0"]);
  });

  it("takes a new connection each time, and closes the one that broke", () => {
    const run = new GroupRun({ read: inTurn(() => error("ECONNRESET"), () => NEVER) }); // prettier-ignore
    run.play(100, { 50: () => expect(run.port.open.readers).toBe(1) });
    expect(run.port.timesOf("closeReader")).toEqual([0, 100]);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("heals a group that can't be made yet", () => {
    const run = new GroupRun({ createGroup: inTurn(() => error("LOADING Redis is loading the dataset in memory"), () => of(true)) }).play(100); // prettier-ignore
    expect(run.port.timesOf("createGroup")).toEqual([0, 38]);
    expect(run.port.timesOf("read")).toEqual([38]);
  });

  it("gives up a read that is silent for 5 s beyond its BLOCK, with its connection", () => {
    const run = new GroupRun({ read: () => NEVER }, { blockMs: 100, maxInFlight: 7 }).play(5_200);
    expect(run.status("reconnecting").map(({ at, cause }) => [at, (cause as Error).message])).toEqual([
      [5_100, "No answer to a read for 5100 ms: the connection is given up"],
    ]);
    expect(run.port.reads.map(({ at, count }) => [at, count])).toEqual([
      [0, 7],
      [5_138, 7],
    ]); // the credit that was set aside is back
  });

  it("waits for a read that is late by less than that: servers block longer than BLOCK", () => {
    const late = (): Observable<readonly StreamPage[]> => timer(5_000).pipe(map(() => [{ stream: "orders", entries: [entry(1)] }]));
    const run = new GroupRun({ read: inTurn<Observable<readonly StreamPage[]>>(late, () => NEVER) }, { blockMs: 100 }).play(5_050);
    expect(run.tags).not.toContain("reconnecting");
    expect(run.ids).toEqual(["1-0"]);
  });

  it.each([
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
    ["NOPERM this user has no permissions to run the 'xreadgroup' command", "AccessError"],
    ["NOAUTH Authentication required.", "AccessError"],
    ["ERR unknown command 'XREADGROUP'", "CommandError"],
  ])("errors for what can't heal: %s", (message, tag) => {
    const run = new GroupRun({ read: () => error(message) }).play(100);
    expect(run.recording).toMatchObject({ ended: "error", error: { _tag: tag } });
    expect(run.port.reads).toHaveLength(1);
    expect(run.status("stopped")).toMatchObject([{ reason: "error" }]);
  });
});

describe("own pending entries", () => {
  it("are recovered before anything is read, page by page, without those in flight", () => {
    const own = inTurn(() => idle({ entries: [taken(1, 3), taken(2)], cursor: "(2-0" }), () => idle({ entries: [taken(3)] })); // prettier-ignore
    const run = new GroupRun(pending(own), { maxInFlight: 10 }).play(50);
    const first = run.port.sent.filter(
      ({ name, args }) => name === "read" || (name === "takeIdle" && (args[1] as IdleRequest).owner === "me"),
    );
    expect(first.map(({ name }) => name)).toEqual(["takeIdle", "takeIdle", "read"]);
    expect(requests(run, "own")).toMatchObject([
      { max: 10, minIdleMs: 0, owner: "me", cursor: "-", leaveAlone: [] },
      { max: 8, minIdleMs: 0, owner: "me", cursor: "(2-0", leaveAlone: ["1-0", "2-0"] },
    ]);
    expect(run.deliveries.map(({ id, deliveryCount }) => [id, deliveryCount])).toEqual([["1-0", 3], ["2-0", 2], ["3-0", 2]]); // prettier-ignore
    expect(run.port.reads[0]!.count).toBe(7);
    expect(run.status("recovered").map(({ count, from }) => [count, from])).toEqual([[2, "self"], [1, "self"]]); // prettier-ignore
  });

  it("wait for credit, and the next read waits for them", () => {
    const own = inTurn(() => idle({ entries: [taken(1), taken(2)], cursor: "(2-0" }), () => idle({ entries: [taken(3)] })); // prettier-ignore
    const run = new GroupRun(pending(own), { maxInFlight: 2 });
    run.play(100, { 50: () => run.settle([1]) });
    expect(requests(run, "own").map(({ at, max }) => [at, max])).toEqual([[0, 2], [50, 1]]); // prettier-ignore
    expect(run.port.timesOf("read")).toEqual([]);
    expect(run.ids).toEqual(["1-0", "2-0", "3-0"]);
  });

  it("are looked for again after a read broke, and once more when the server can't feed that read any more", () => {
    const feed = new Feed();
    const read = inTurn<Observable<readonly StreamPage[]>>(() => of([{ stream: "orders", entries: [entry(1)] }]), () => error("Connection is closed.")); // prettier-ignore
    let reads = 0;
    const run = new GroupRun({ read: (request) => ((reads += 1) <= 2 ? read() : feed.read(request)) }, { blockMs: 500 }).play(2_000);
    expect(requests(run, "own").map(({ at, leaveAlone }) => [at, leaveAlone])).toEqual([
      [0, []],
      [38, ["1-0"]],
      [800, ["1-0"]], // 500 + 300 ms
    ]);
  });

  it("are recovered without claims from others as well", () => {
    const run = new GroupRun({}, { recover: false }).play(10);
    expect(requests(run, "own")).toHaveLength(1);
    expect(requests(run, "stale")).toEqual([]);
  });

  it("are looked for when the sweep finds some that are stale and not in flight: a reply that was lost unnoticed", () => {
    const stale = inTurn(() => idle({ mine: [idOf(5)] }), () => idle()); // prettier-ignore
    const run = new GroupRun(pending(inTurn(() => idle(), () => idle({ entries: [taken(5)] })), stale)).play(50); // prettier-ignore
    expect(requests(run, "own")).toHaveLength(2);
    expect(run.ids).toEqual(["5-0"]);
  });

  it("are not looked for when the stale ones are in flight here", () => {
    const stale = inTurn(() => idle(), () => idle({ mine: [idOf(1)] })); // prettier-ignore
    const feed = new Feed();
    const run = new GroupRun({ ...pending(() => idle(), stale), read: feed.read }, { leaseMs: 1_000 }).play(400, {
      10: () => feed.push(1),
    });
    expect(requests(run, "stale").map(({ at }) => at)).toEqual([0, 250]);
    expect(requests(run, "own").map(({ at }) => at)).toEqual([0]);
  });
});

describe("stale entries of others", () => {
  it("are claimed after a lease's time, four times in it, within the credit", () => {
    const stale = inTurn(() => idle(), () => idle({ entries: [taken(1, 4)] }), () => idle()); // prettier-ignore
    const run = new GroupRun(
      pending(() => idle(), stale),
      { leaseMs: 1_000, maxInFlight: 5 },
    ).play(900);
    expect(requests(run, "stale").map(({ at, max, minIdleMs, cursor }) => [at, max, minIdleMs, cursor])).toEqual([
      [0, 5, 1_000, "-"],
      [250, 5, 1_000, "-"],
      [500, 4, 1_000, "-"],
      [750, 4, 1_000, "-"],
    ]);
    expect(run.deliveries).toMatchObject([{ id: "1-0", deliveryCount: 4 }]);
    expect(run.status("recovered")).toEqual([{ _tag: "recovered", stream: "orders", count: 1, from: "stale", at: 250 }]);
  });

  it("are walked through page by page: at once while there are some, with a rest while there are none", () => {
    const stale = inTurn(
      () => idle({ entries: [taken(1)], cursor: "(500-0" }),
      () => idle({ cursor: "(1000-0" }),
      () => idle({ entries: [taken(1_001)] }),
      () => idle(),
    );
    const run = new GroupRun(
      pending(() => idle(), stale),
      { leaseMs: 1_000 },
    ).play(400);
    expect(requests(run, "stale").map(({ at, cursor }) => [at, cursor])).toEqual([
      [0, "-"],
      [0, "(500-0"],
      [25, "(1000-0"],
      [275, "-"],
    ]);
    expect(run.status("swept")).toEqual([{ _tag: "swept", stream: "orders", taken: 2, steps: 3, tookMs: 25, at: 25 }]);
  });
});

describe("retries", () => {
  it("that this source's sink noted are taken within milliseconds of being due, while a read is blocked", () => {
    const feed = new Feed();
    const takeDue: Answers["takeDue"] = () => {
      const isDue = run.port.timesOf("takeDue").at(-1)! >= 310;
      return of({ entries: isDue ? [taken(1)] : [], deleted: [], nextDueMs: undefined });
    };
    const run = new GroupRun({ read: feed.read, takeDue }, { blockMs: 60_000 });
    run.play(400, { 5: () => feed.push(1), 10: () => run.settle([1], 300) });
    const times = run.recording.times;
    expect(run.deliveries.map(({ id, deliveryCount }) => [id, deliveryCount])).toEqual([["1-0", 1], ["1-0", 2]]); // prettier-ignore
    expect(times[1]).toBeGreaterThanOrEqual(310);
    expect(times[1]).toBeLessThanOrEqual(315);
    expect(run.status("recovered").at(-1)).toMatchObject({ from: "retry", count: 1 });
  });

  it("that come due sooner than those known are taken first", () => {
    const feed = new Feed();
    const takeDue: Answers["takeDue"] = () =>
      of({ entries: [], deleted: [], nextDueMs: [70, 210, 9_999].find((at) => at > nowMs())! - nowMs() });
    const run = new GroupRun({ read: feed.read, takeDue }, { blockMs: 60_000 });
    run.play(300, { 5: () => feed.push(1, 2), 10: () => run.settle([1], 200), 20: () => run.settle([2], 50) });
    const looks = run.port.timesOf("takeDue");
    expect(looks).toHaveLength(2);
    expect(looks[0]! - 70).toBeLessThanOrEqual(2);
    expect(looks[1]! - 210).toBeLessThanOrEqual(2);
  });

  describe("that others have scheduled", () => {
    const times = (run: GroupRun, name: string): number[] => run.port.timesOf(name).map((at) => Math.round(at / 50) * 50);

    it("are looked for twice a second, and taken when they are due", () => {
      const nextDue = inTurn<Observable<(number | undefined)[]>>(() => of([1_300]), () => of([800]), () => of([300]), () => of([undefined])); // prettier-ignore
      const run = new GroupRun({ nextDue }).play(2_900);
      expect(times(run, "nextDue")).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500]);
      expect(times(run, "takeDue")).toEqual([1_300]);
    });

    it("are looked for once a second where the window is too small to take one while a read is blocked, which makes way then", () => {
      const run = new GroupRun({}, { maxInFlight: 19 }).play(2_900);
      expect(times(run, "nextDue")).toEqual([0, 1_000, 2_000]);
      expect(run.port.reads[0]!.blockMs).toBe(999);
    });

    it("and that are due in less than a second are looked for every 80 ms for ten seconds, because their consumers may die", () => {
      const nextDue = inTurn<Observable<(number | undefined)[]>>(
        () => of([undefined]),
        () => of([300]),
        () => of([undefined]),
      );
      const run = new GroupRun({ nextDue }).play(14_000);
      const [before, alert, after] = [
        [0, 400],
        [600, 10_400],
        [10_700, 13_900],
      ].map(([from = 0, to = 0]) => run.port.timesOf("nextDue").filter((at) => at >= from && at <= to).length);
      expect({ before, alert, after }).toEqual({ before: 1, alert: 121, after: 6 });
      expect(times(run, "takeDue")).toEqual([800]);
    });
  });

  it("that were scheduled here are no reason to look more often", () => {
    const nextDue = inTurn<Observable<(number | undefined)[]>>(
      () => of([undefined]),
      () => of([290]),
      () => of([undefined]),
    );
    const run = new GroupRun({
      nextDue,
      read: inTurn<Observable<readonly StreamPage[]>>(
        () => of([{ stream: "orders", entries: [entry(1)] }]),
        () => timer(2_000).pipe(map(() => [])),
      ),
    });
    run.play(2_900, { 490: () => run.settle([1], 300) });
    expect(run.port.timesOf("nextDue").length).toBe(6);
  });

  it("of all streams are looked for with one command", () => {
    const run = new GroupRun({ nextDue: inTurn(() => of([undefined, 20, 30]), () => of([undefined, undefined, undefined])) }, { stream: ["a", "b", "c"] }).play(50); // prettier-ignore
    expect(run.port.argsOf("nextDue")).toEqual([[["a", "b", "c"], "shipping"]]);
    expect(run.port.argsOf("takeDue").map(([ref]) => (ref as { stream: string }).stream)).toEqual(["b", "c"]);
  });

  it("are taken within the credit; without any it only looks, and not in a hurry", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, nextDue: () => of([0]), takeDue: () => of({ entries: [], deleted: [], nextDueMs: 0 }) }, { maxInFlight: 3 }); // prettier-ignore
    run.play(500, { 5: () => feed.push(1) });
    const looks = run.port.sent.filter(({ name, at }) => name === "takeDue" && at > 5);
    expect(looks.every(({ args }) => (args[1] as number) <= 2)).toBe(true);
    expect(looks.length).toBeLessThan(60);
  });

  it("keep their turn while own entries and sweeps are due as well", () => {
    const takeDue = inTurn<Observable<DuePage>>(() => of({ entries: [taken(1)], deleted: [], nextDueMs: undefined }), () => of({ entries: [], deleted: [], nextDueMs: undefined })); // prettier-ignore
    const run = new GroupRun({ nextDue: () => of([0]), takeDue }).play(10);
    expect(run.ids).toEqual(["1-0"]);
  });
});

describe("a retry of a stream that this source does not read, or later than one that is known", () => {
  it("changes nothing", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, nextDue: () => of([400]) });
    run.play(390, { 5: () => feed.push(1), 10: () => run.settle([1], 5_000) });
    expect(run.port.timesOf("takeDue")).toEqual([]);
  });
});

describe("a broken connection for commands", () => {
  it("makes it look for own entries, now and once more when the server can't feed a lost read any more", () => {
    const broken = new Subject<Outage>();
    const run = new GroupRun({ broken, read: new Feed().read }, { blockMs: 500 });
    run.play(1_500, { 100: () => broken.next({ attempt: 1, delayMs: 50, cause: "gone" }) });
    const [first, ...later] = requests(run, "own").map(({ at }) => at);
    expect(first).toBe(0);
    expect(later).toHaveLength(2);
    expect(later[1]! - 100).toBeGreaterThanOrEqual(800);
  });
});

describe("entries that are open here", () => {
  it("are handed out neither by a sweep, nor as a retry, nor as one's own, nor by a read of a group that was made again", () => {
    const feed = new Feed();
    const read = inTurn<Observable<readonly StreamPage[]>>(
      () => of([{ stream: "orders", entries: [entry(1), entry(2)] }]),
      () => timer(300).pipe(map(() => { throw new Error(noGroup); })), // prettier-ignore
      () => of([{ stream: "orders", entries: [entry(1), entry(2), entry(3)] }]),
      () => NEVER,
    );
    const again = { entries: [taken(1)], deleted: [] };
    const takeDue = inTurn<Observable<DuePage>>(() => of({ entries: [], deleted: [], nextDueMs: 100 }), () => of({ ...again, nextDueMs: undefined })); // prettier-ignore
    const run = new GroupRun({ read, nextDue: () => of([0]), takeDue, ...pending(inTurn(() => idle(), () => idle(again)), inTurn(() => idle(), () => idle(again))), lastGeneratedId: () => of(idOf(3)) }, { leaseMs: 1_000 }); // prettier-ignore
    run.play(700, { 20: () => feed.push() });
    expect(run.ids).toEqual(["1-0", "2-0", "3-0"]);
    expect(run.status("recovered")).toEqual([]);
  });
});

describe("entries that were deleted while pending", () => {
  it("are reported, and not handed out", () => {
    const own = inTurn(() => idle({ deleted: [idOf(1)], entries: [taken(2)] }), () => idle()); // prettier-ignore
    const takeDue = inTurn<Observable<DuePage>>(() => of({ entries: [], deleted: [idOf(7)], nextDueMs: undefined }), () => of({ entries: [], deleted: [], nextDueMs: undefined })); // prettier-ignore
    const run = new GroupRun({ ...pending(own), nextDue: () => of([0]), takeDue }).play(10);
    expect(run.status("tombstone").map(({ stream, ids }) => [stream, ids])).toEqual([["orders", ["1-0"]], ["orders", ["7-0"]]]); // prettier-ignore
    expect(run.ids).toEqual(["2-0"]);
  });
});

describe("the group", () => {
  it("is made at the start, at startId", () => {
    const run = new GroupRun({}, { startId: "5-0" }).play(10);
    expect(run.port.argsOf("createGroup")).toEqual([[{ stream: "orders", group: "shipping" }, "5-0"]]);
    expect(run.port.argsOf("lastGeneratedId")).toEqual([]);
    expect(run.tags).not.toContain("groupRecreated");
  });

  it("is reported when it was not there, and where it begins", () => {
    const run = new GroupRun({ createGroup: () => of(true) }, { startId: "5-0" }).play(10);
    expect(run.status("groupCreated")).toEqual([{ _tag: "groupCreated", stream: "orders", group: "shipping", startId: "5-0", at: 0 }]);
    expect(new GroupRun().play(10).tags).not.toContain("groupCreated");
  });

  it.each([
    [idOf(70), "70-0"],
    [undefined, "0-0"],
  ])("begins at what `$` means now: last id %s → %s", (last, startId) => {
    const run = new GroupRun({ lastGeneratedId: () => of(last) }, { startId: "$" }).play(10);
    expect(run.port.argsOf("createGroup")).toEqual([[{ stream: "orders", group: "shipping" }, startId]]);
  });

  describe("that vanishes", () => {
    /** Reads 1, 2 and 3, then the group is gone at 100 ms. */
    const vanishing = (more: Answers = {}, options: ConstructorParameters<typeof GroupRun>[1] = {}): GroupRun => {
      const read = inTurn<Observable<readonly StreamPage[]>>(
        () => of([{ stream: "orders", entries: [entry(1), entry(2), entry(3)] }]),
        () => timer(100).pipe(map(() => { throw new Error(noGroup); })), // prettier-ignore
        () => NEVER,
      );
      return new GroupRun({ read, createGroup: () => of(true), lastGeneratedId: () => of(idOf(90)), ...more }, options);
    };

    it("is made again before what is in flight", () => {
      const run = vanishing();
      run.play(200, { 50: () => run.settle([1]) });
      expect(run.port.argsOf("createGroup").map(([, id]) => id)).toEqual(["0", "1-18446744073709551615"]);
      expect(run.status("groupRecreated")).toEqual([
        { _tag: "groupRecreated", stream: "orders", group: "shipping", startId: "1-18446744073709551615", at: 100 },
      ]);
      expect(run.tags).not.toContain("reconnecting"); // healed at once
      expect(run.port.timesOf("read")).toEqual([0, 0, 100]);
    });

    it("is made again after what was seen last when nothing is in flight", () => {
      const run = vanishing();
      run.play(200, { 50: () => run.settle([1, 2, 3]) });
      expect(run.port.argsOf("createGroup").map(([, id]) => id)).toEqual(["0", "3-0"]);
    });

    it("is made again from the beginning when the stream is gone, or a new one", () => {
      for (const last of [undefined, idOf(2)]) {
        const run = vanishing({ lastGeneratedId: () => of(last) });
        run.play(200, { 50: () => run.settle([1, 2, 3]) });
        expect(run.port.argsOf("createGroup").map(([, id]) => id)).toEqual(["0", "0"]);
      }
    });

    it("is not reported when another consumer has made it again already", () => {
      const run = vanishing({ createGroup: inTurn(() => of(true), () => of(false)) }).play(200); // prettier-ignore
      expect(run.port.argsOf("createGroup")).toHaveLength(2);
      expect(run.status("groupRecreated")).toEqual([]);
    });

    it("takes up the retries that waited in it, and says so", () => {
      const run = vanishing({ scheduled: () => of([idOf(7)]) }).play(200);
      expect(run.port.argsOf("adopt").map(([, ids]) => ids)).toEqual([[idOf(7)]]);
      expect(run.status("adopted")).toEqual([{ _tag: "adopted", stream: "orders", ids: [idOf(7)], at: 100 }]);
    });

    it("is made again where `$` was when nothing was read", () => {
      const read = inTurn<Observable<readonly StreamPage[]>>(() => timer(100).pipe(map(() => { throw new Error(noGroup); })), () => NEVER); // prettier-ignore
      const run = new GroupRun({ read, createGroup: () => of(true), lastGeneratedId: inTurn(() => of(idOf(50)), () => of(idOf(60))) }, { startId: "$" }).play(200); // prettier-ignore
      expect(run.port.argsOf("createGroup").map(([, id]) => id)).toEqual(["50-0", "50-0"]);
    });

    it("backs off when it vanishes again and again", () => {
      const run = new GroupRun({ read: () => error(noGroup), lastGeneratedId: () => of(idOf(9)) }).play(1_000);
      expect(run.port.timesOf("read")).toEqual([0, 0, 75, 225, 525]);
      expect(run.status("reconnecting").map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5]);
    });

    it.each([
      () => error(noGroup),
      () =>
        timer(50).pipe(
          map(() => {
            throw new Error(noGroup);
          }),
        ),
    ])("errors with onMissingGroup: fail", (read) => {
      // prettier-ignore
      const run = new GroupRun({ read }, { onMissingGroup: "fail" }).play(200);
      expect(run.recording).toMatchObject({ ended: "error", error: { _tag: "GroupMissingError" } });
      expect((run.recording.error as Error).message).toContain('Group "shipping" of stream "orders"');
      expect(run.port.argsOf("createGroup")).toHaveLength(1);
    });

    it("is noticed by a chore, too", () => {
      const run = new GroupRun({ nextDue: () => of([500]), takeDue: () => error(noGroup) }, { onMissingGroup: "fail" }).play(1_500); // prettier-ignore
      expect(run.recording).toMatchObject({ ended: "error", error: { _tag: "GroupMissingError" } });
    });
  });

  it.each([
    "NOPERM this user has no permissions to run the 'xgroup|create' command",
    "OOM command not allowed when used memory > 'maxmemory'.",
  ])("that can't be made may be there already: reading tells (%s)", (message) => {
    const feed = new Feed();
    const run = new GroupRun({ createGroup: () => error(message), read: feed.read });
    run.play(100, { 50: () => feed.push(1) });
    expect(run.ids).toEqual(["1-0"]);
    expect(run.port.argsOf("createGroup")).toHaveLength(1);
    expect(run.tags).not.toContain("reconnecting");
  });

  it("that may not be made, and is not there, ends the source", () => {
    const run = new GroupRun({ createGroup: () => error("NOPERM no permissions"), read: () => error(noGroup) }).play(100);
    expect(run.recording).toMatchObject({ ended: "error", error: { _tag: "AccessError" } });
  });

  it("that can't be made for want of memory, and is not there, is tried again", () => {
    const create = inTurn<Observable<boolean>>(() => error("OOM command not allowed"), () => error("OOM command not allowed"), () => of(true)); // prettier-ignore
    const run = new GroupRun({ createGroup: create, read: inTurn<Observable<readonly StreamPage[]>>(() => error(noGroup), () => NEVER) }).play(500); // prettier-ignore
    expect(run.recording.ended).toBeUndefined();
    expect(run.port.argsOf("createGroup")).toHaveLength(3);
    expect(run.port.reads).toHaveLength(2);
  });

  it("is made at the start also with onMissingGroup: fail", () => {
    const run = new GroupRun({ createGroup: inTurn(() => error("CLUSTERDOWN Hash slot not served"), () => of(true)) }, { onMissingGroup: "fail" }).play(100); // prettier-ignore
    expect(run.recording.ended).toBeUndefined();
    expect(run.port.reads).toHaveLength(1);
  });
});

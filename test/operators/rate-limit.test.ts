import { EMPTY, from, map, NEVER, of, Subject, take, throwError, timer } from "rxjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { rateLimit } from "../../src/operators/rate-limit.js";
import { summary, TestSource } from "../support/deliveries.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import { marbles, record, timeline } from "../support/virtual-time.js";

const nine = (): Record<string, Delivery<Fields>> =>
  Object.fromEntries(new TestSource().many(9).map((delivery, index) => [String(index + 1), delivery]));
const group = { limit: 2, perMs: 10, scope: "group" } as const;

afterEach(() => {
  vi.useRealTimers();
});

describe("rateLimit", () => {
  it("lets the first `limit` pass at once and the others as the window allows, in order", () => {
    const values = nine();
    marbles(({ hot, expectObservable }) => {
      const result = hot("(12345)-6------------------|", values).pipe(rateLimit({ limit: 2, perMs: 10 }));
      expectObservable(result).toBe("(12)------(34)------(56)---|", values);
    });
  });

  it("completes when the last one has passed", () => {
    const values = nine();
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot("(123|)", values).pipe(rateLimit({ limit: 2, perMs: 10 }))).toBe("(12)------(3|)", values);
      expectObservable(hot("1-|", values).pipe(rateLimit({ limit: 2, perMs: 10 }))).toBe("1-|", values);
    });
  });

  it("keeps a limit per subscription", () => {
    const values = nine();
    marbles(({ cold, expectObservable }) => {
      const limited = cold("(12)------|", values).pipe(rateLimit({ limit: 1, perMs: 5 }));
      expectObservable(limited).toBe("1----2----|", values);
      expectObservable(limited).toBe("1----2----|", values);
    });
  });

  it("passes decisions on at once, and they cost no permit", () => {
    const values: Record<string, Flow<Fields>> = { ...nine(), a: settle.ack(new TestSource().one("1-0")) };
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot("(1a2a)-----|", values).pipe(rateLimit({ limit: 1, perMs: 8 }))).toBe("(1aa)---2--|", values);
    });
  });

  it("holds no more than the source hands out, and lets 20 000 pass without growing the stack", () => {
    const deliveries = new TestSource({ window: 100_000 }).many(20_000);
    marbles(({ flush }) => {
      const recording = record(from(deliveries).pipe(rateLimit({ limit: 15_000, perMs: 10 })));
      expect(recording.values).toHaveLength(15_000);
      flush();
      expect(recording.values).toEqual(deliveries);
      expect(recording.endedAt).toBe(10);
    });
  });

  it("follows its source in completion, error and silence", () => {
    const values = nine();
    marbles(({ hot, expectObservable }) => {
      expectObservable(EMPTY.pipe(rateLimit({ limit: 1, perMs: 1 }))).toBe("|");
      expectObservable(NEVER.pipe(rateLimit({ limit: 1, perMs: 1 }))).toBe("-");
      expectObservable(throwError(() => "error").pipe(rateLimit({ limit: 1, perMs: 1 }))).toBe("#");
      expectObservable(hot("(12)-#", values).pipe(rateLimit({ limit: 1, perMs: 90 }))).toBe("1----#", values);
    });
  });

  it("stops its source and its timer when it is unsubscribed", () => {
    const values = nine();
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source$ = hot("(12)--3---", values);
      expectObservable(source$.pipe(rateLimit({ limit: 1, perMs: 5 })), "^--!").toBe("1---", values);
      expectSubscriptions(source$.subscriptions).toBe("^--!");
    });
    vi.useFakeTimers();
    const recording = record(from(new TestSource().many(2)).pipe(rateLimit({ limit: 1, perMs: 5_000 })));
    expect(vi.getTimerCount()).toBe(1);
    recording.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(record(from(new TestSource().many(5)).pipe(rateLimit({ limit: 9, perMs: 1 }), take(2))).ended).toBe("complete");
  });

  describe("when a delivery that it holds is lost", () => {
    it("lets it go at once, without a permit", () => {
      const source = new TestSource();
      const all = source.many(4);
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(rateLimit({ limit: 1, perMs: 10 })));
      timeline({
        0: () => all.forEach((each) => input.next(each)),
        5: () => source.lose(all[1]!),
        40: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(['1-0 = {"n":"1"}', "2-0 release", '3-0 = {"n":"3"}', '4-0 = {"n":"4"}']);
      expect(recording.times).toEqual([0, 5, 10, 20]);
    });

    it("lets all go when the source gives up, so that the pipeline can end", () => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(rateLimit({ limit: 1, perMs: 1_000_000 })));
      timeline({
        0: () => source.many(3).forEach((each) => input.next(each)),
        5: () => source.ledger.abandon(new Error("over")),
        6: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(['1-0 = {"n":"1"}', "2-0 release", "3-0 release"]);
      expect(recording).toMatchObject({ ended: "complete", endedAt: 6 });
    });
  });

  describe("with a limit that the group shares", () => {
    const shared = (takePermits: NonNullable<Answers["takePermits"]>): FakePort => new FakePort({ takePermits });
    const wantedOf = (port: FakePort): number[] => port.argsOf("takePermits").map(([, request]) => (request as { wanted: number }).wanted);

    it("asks for all that wait in one round trip, for `limit` at most, and for nothing in advance", () => {
      const all = new TestSource().many(8);
      const port = shared((_ref, { wanted }) => timer(3).pipe(map(() => ({ granted: wanted, waitMs: 0 }))));
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(rateLimit(port.client, { ...group, limit: 4 })));
      timeline({
        0: () => input.next(all[0]!),
        1: () => all.slice(1).forEach((each) => input.next(each)),
        20: () => input.complete(),
      });
      expect(wantedOf(port)).toEqual([1, 4, 3]);
      expect(recording.values).toEqual(all);
      expect(recording.times).toEqual([3, 6, 6, 6, 6, 9, 9, 9]);
    });

    it("waits as long as Redis says, and asks again", () => {
      const grants = [{ granted: 2, waitMs: 7 }, { granted: 1, waitMs: 0 }]; // prettier-ignore
      const port = shared(() => timer(1).pipe(map(() => grants.shift()!)));
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(rateLimit(port.client, group)));
      timeline({
        0: () => new TestSource().many(3).forEach((each) => input.next(each)),
        20: () => input.complete(),
      });
      expect(port.timesOf("takePermits")).toEqual([0, 8]);
      expect(recording.times).toEqual([1, 1, 9]);
    });

    it("asks for each stream and group, on the key that was named or the one beside the stream", () => {
      const port = shared((_ref, { wanted }) => of({ granted: wanted, waitMs: 0 }));
      const both = [new TestSource().one("1-0"), new TestSource({ stream: "refunds" }).one("2-0")];
      record(from(both).pipe(rateLimit(port.client, group)));
      record(from(both).pipe(rateLimit(port.client, { ...group, key: "api" })));
      const limit = { limit: 2, perMs: 10, stepMs: 1 };
      const ref = (stream: string): unknown => ({ stream, group: "shipping" });
      expect(port.argsOf("takePermits")).toEqual([
        [ref("orders"), { key: undefined, limit, wanted: 1 }],
        [ref("refunds"), { key: undefined, limit, wanted: 1 }],
        [ref("orders"), { key: "api", limit, wanted: 1 }],
        [ref("refunds"), { key: "api", limit, wanted: 1 }],
      ]);
    });

    it("goes on asking while Redis is away, and lets the source report it", () => {
      const source = new TestSource();
      const hindrances: unknown[] = [];
      record(source.ledger.hindrances, (cause) => hindrances.push(cause));
      let failures = 3;
      const lost = new Error("Connection is closed.");
      const port = shared(() => (failures-- > 0 ? throwError(() => lost) : of({ granted: 1, waitMs: 0 })));
      marbles(({ flush }) => {
        const recording = record(of(source.one("1-0")).pipe(rateLimit(port.client, group)));
        flush();
        expect(recording.values).toHaveLength(1);
        expect(recording.ended).toBe("complete");
      });
      expect(hindrances).toEqual([lost, lost, lost]);
    });

    it("lets the source report that its connection broke, while something waits for an answer", () => {
      const source = new TestSource();
      const hindrances: unknown[] = [];
      record(source.ledger.hindrances, (cause) => hindrances.push(cause));
      const broken = timer(1, 10).pipe(map((attempt) => ({ attempt, delayMs: 1, cause: `broken ${attempt}` })));
      const port = new FakePort({ broken, takePermits: () => timer(15).pipe(map(() => ({ granted: 1, waitMs: 0 }))) });
      marbles(({ flush }) => {
        record(of(source.one("1-0")).pipe(rateLimit(port.client, group)));
        flush();
      });
      expect(hindrances).toEqual(["broken 0", "broken 1"]);
    });

    it("errors for what can't heal", () => {
      const port = shared(() => throwError(() => new Error("WRONGTYPE Operation against a key holding the wrong kind of value")));
      const recording = record(of(new TestSource().one("1-0")).pipe(rateLimit(port.client, group)));
      expect(recording.error).toMatchObject({ _tag: "WrongTypeError" });
      expect(port.open.commands).toBe(0);
    });

    it("does not use a permit whose delivery was lost meanwhile, and closes its connection at the end", () => {
      const source = new TestSource();
      const all = source.many(2);
      const input = new Subject<Flow<Fields>>();
      const port = shared((_ref, { wanted }) => timer(5).pipe(map(() => ({ granted: wanted, waitMs: 0 }))));
      const recording = record(input.pipe(rateLimit(port.client, group)));
      expect(port.open.commands).toBe(1);
      timeline({
        0: () => input.next(all[0]!),
        2: () => source.lose(all[0]!),
        7: () => input.next(all[1]!),
        30: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(["1-0 release", '2-0 = {"n":"2"}']);
      expect(recording.times).toEqual([2, 12]);
      expect(port.open.commands).toBe(0);
    });
  });

  it.each<readonly [() => unknown, RegExp]>([
    [() => rateLimit({ limit: 0, perMs: 1 }), /^Expected `limit` to be an integer of 1 or more, got `0`/],
    [() => rateLimit({ limit: 1, perMs: 0 }), /^Expected `perMs`/],
    [
      () => rateLimit({ limit: 1, perMs: 1, scope: "group" } as never),
      /^Expected a Redis client as the first argument for `scope: "group"`/,
    ],
    [() => rateLimit({ limit: 1, perMs: 1, scope: "world" } as never), /^Expected `scope` to be one of "local"/],
    [() => rateLimit(new FakePort().client, { limit: 1, perMs: 1 } as never), /^Expected `scope` to be one of "group"/],
    [() => rateLimit(new FakePort().client, { ...group, key: "" }), /^Expected `key` to be a string that is not empty/],
    [() => rateLimit({} as never, group), /^Expected a `Redis` or `Cluster`/],
  ])("refuses bad options when it is called: %s", (call, error) => expect(call).toThrow(error));
});

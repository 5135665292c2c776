import { concatAll } from "fp-ts/lib/Monoid.js";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { concat, EMPTY, from, map, mergeMap, NEVER, Observable, of, Subject, take, throwError, timer } from "rxjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DeliveriesExhaustedError, HandlerTimeoutError } from "../../src/errors.js";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { BackoffMonoid, exponential, fixed, limit } from "../../src/model/retry-policy.js";
import { settle, type Flow, type Settled } from "../../src/model/settlement.js";
import { retryToDLQ, type RetryToDLQOptions } from "../../src/operators/retry-to-dlq.js";
import { summary, TestSource } from "../support/deliveries.js";
import { marbles, nowMs, record, timeline, type Recording } from "../support/virtual-time.js";

type Handler = (value: Fields, delivery: Delivery<Fields>) => unknown;

const options: RetryToDLQOptions = { maxDeliveries: 5, backoff: fixed(100) };

/** Runs one entry through the operator. */
const runOne = (
  handler: Handler,
  more: Partial<RetryToDLQOptions> = {},
  delivery = new TestSource().one("1-0"),
): Recording<Flow<unknown>> => record(of(delivery).pipe(retryToDLQ(handler, { ...options, ...more })));

const outcome = async (handler: Handler, more: Partial<RetryToDLQOptions> = {}, deliveryCount = 1): Promise<string> => {
  const recording = runOne(handler, more, new TestSource().one("1-0", { n: "1" }, deliveryCount));
  await vi.waitFor(() => expect(recording.ended).toBe("complete"));
  return recording.values.map(summary).join();
};

const causeOf = (item: Flow<unknown> | undefined): unknown => ((item as Settled<unknown>).settlement as { readonly cause: unknown }).cause;
const failing =
  (error: unknown): (() => never) =>
  () => {
    throw error;
  };

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("retryToDLQ", () => {
  it("gives the handler the value and the delivery", () => {
    const delivery = new TestSource().one("1-0");
    const handler = vi.fn(() => 1);
    runOne(handler, {}, delivery);
    expect(handler.mock.calls).toEqual([[delivery.value, delivery]]);
  });

  describe("the handler's result is the new value", () => {
    async function* stream(): AsyncGenerator<number> {
      yield 1;
      await Promise.resolve();
      yield 2;
    }
    function* steps(): Generator<number> {
      yield 1;
      yield 2;
    }
    it.each<readonly [string, Handler, string]>([
      ["a value", () => 5, "5"],
      ["undefined", () => undefined, "undefined"],
      ["null", () => null, "null"],
      ["an array, as it is", () => [1, 2], "[1,2]"],
      ["a string, as it is", () => "done", '"done"'],
      ["a set, as it is", () => new Set([1]), "{}"],
      ["an object", () => ({ a: 1 }), '{"a":1}'],
      ["a promise", () => Promise.resolve(5), "5"],
      ["a thenable", () => ({ then: (resolve: (value: number) => void) => resolve(5) }), "5"],
      ["the last value of an Observable", () => of(1, 2, 3), "3"],
      ["undefined for an empty Observable", () => EMPTY, "undefined"],
      ["the last value of an async iterable", stream, "2"],
      ["the last value of a generator", steps, "2"],
      ["a foreign Observable", () => ({ "@@observable": () => of(7), subscribe: () => undefined }), "7"],
      ["a Right", () => E.right(5), "5"],
      ["a promise of a Right", () => Promise.resolve(E.right(5)), "5"],
      ["an Observable of a Right", () => of(E.right(5)), "5"],
      ["a TaskEither", () => TE.right(5), "5"],
      ["an object that only looks like an Either", () => ({ _tag: "Left" }), '{"_tag":"Left"}'],
    ])("%s", async (_, handler, value) => expect(await outcome(handler)).toBe(`1-0 = ${value}`));

    it("keeps what a set or a map holds", () => {
      const set = new Set([1]);
      expect((runOne(() => set).values[0] as Delivery<unknown>).value).toBe(set);
    });

    it("reads a web stream to its end", async () => {
      const handler = (): unknown =>
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(1);
            controller.enqueue(2);
            controller.close();
          },
        });
      expect(await outcome(handler)).toBe("1-0 = 2");
    });

    it("comes at once when the handler answers at once: no microtask between source and result", () => {
      expect(runOne(() => 5)).toMatchObject({ ended: "complete", values: [{ value: 5 }] });
    });
  });

  describe("when the handler fails", () => {
    const busy = new Error("busy");
    it.each<readonly [string, Handler]>([
      ["it throws", failing(busy)],
      ["it rejects", () => Promise.reject(busy)],
      ["its Observable errors", () => throwError(() => busy)],
      ["its Observable errors after values", () => concat(of(1), throwError(() => busy))], // prettier-ignore
      ["it answers Left", () => E.left(busy)],
      ["it promises Left", () => Promise.resolve(E.left(busy))],
      ["its TaskEither answers Left", () => TE.left(busy)],
      ["its TaskEither throws", () => failing(busy)],
      ["its generator throws", function* () { yield 1; throw busy; }], // prettier-ignore
      ["its async iterable throws", async function* () { yield await Promise.resolve(1); throw busy; }], // prettier-ignore
    ])("settles a retry: %s", async (_, handler) => {
      expect(await outcome(handler)).toBe("1-0 retry 100 busy");
      const recording = runOne(handler);
      await vi.waitFor(() => expect(recording.ended).toBe("complete"));
      expect(causeOf(recording.values[0])).toBe(busy);
    });

    it.each([undefined, null, "text", 0])("takes %s as a cause", async (thrown) => {
      expect(await outcome(failing(thrown))).toBe(`1-0 retry 100 ${String(thrown)}`);
      expect(await outcome(() => Promise.reject(thrown))).toBe(`1-0 retry 100 ${String(thrown)}`);
    });

    it("settles a retry when a thenable throws instead of rejecting, and gives its place free", () => {
      const items$ = from(new TestSource().many(2));
      const thenable = { then: failing(busy) };
      const recording = record(items$.pipe(retryToDLQ(() => thenable, { ...options, concurrency: 1 })));
      expect(recording.values.map(summary)).toEqual(["1-0 retry 100 busy", "2-0 retry 100 busy"]);
      expect(recording.ended).toBe("complete");
    });

    it("goes on after a handler that answers a function nobody can wait for", () => {
      const recording = record(from(new TestSource().many(2)).pipe(retryToDLQ(() => () => 5, { ...options, concurrency: 1 })));
      expect(recording.values).toHaveLength(2);
      expect(recording.ended).toBe("complete");
    });

    it("settles a dead letter at the last delivery", async () => {
      expect(await outcome(failing(busy), { maxDeliveries: 3 }, 2)).toBe("1-0 retry 100 busy");
      expect(await outcome(failing(busy), { maxDeliveries: 3 }, 3)).toBe("1-0 dead busy");
      expect(await outcome(failing(busy), { maxDeliveries: 1 }, 1)).toBe("1-0 dead busy");
    });

    it("settles a dead letter at once for what is not worth a retry", async () => {
      const retryable = vi.fn((error: unknown) => error !== busy);
      expect(await outcome(failing(busy), { retryable })).toBe("1-0 dead busy");
      expect(await outcome(failing(new Error("other")), { retryable })).toBe("1-0 retry 100 other");
      expect(retryable).toHaveBeenCalledWith(busy);
    });

    it("settles a dead letter when the backoff gives up", async () => {
      const backoff = concatAll(BackoffMonoid)([fixed(10), limit(2)]);
      expect(await outcome(failing(busy), { backoff }, 1)).toBe("1-0 retry 10 busy");
      expect(await outcome(failing(busy), { backoff }, 2)).toBe("1-0 dead busy");
    });

    it("tells the backoff the delivery count, the error and a random number", async () => {
      vi.spyOn(Math, "random").mockReturnValue(0.25);
      const backoff = vi.fn(exponential({ baseMs: 100, maxMs: 10_000, jitter: "full" }));
      expect(await outcome(failing(busy), { backoff }, 3)).toBe("1-0 retry 100 busy");
      expect(backoff).toHaveBeenCalledWith({ deliveryCount: 3, error: busy, random: 0.25 });
    });

    it("backs off from 200 ms to a minute by default", async () => {
      vi.spyOn(Math, "random").mockReturnValue(0);
      expect(await outcome(failing(busy), { backoff: undefined }, 1)).toBe("1-0 retry 100 busy");
      expect(await outcome(failing(busy), { backoff: undefined, maxDeliveries: 100 }, 50)).toBe("1-0 retry 30000 busy");
    });

    it("settles a dead letter with the bug as its cause when `retryable` or `backoff` throws", async () => {
      const bug = failing(new Error("bug"));
      expect(await outcome(failing(busy), { retryable: bug })).toBe("1-0 dead bug");
      expect(await outcome(failing(busy), { backoff: bug })).toBe("1-0 dead bug");
      const late = () => Promise.reject(new Error("nobody waits for this"));
      expect(await outcome(failing(busy), { retryable: late as never })).toBe(
        "1-0 dead Expected `retryable` to answer at once, got a promise",
      );
      expect(await outcome(failing(busy), { backoff: late as never })).toBe("1-0 dead Expected `backoff` to answer at once, got a promise");
      expect(await outcome(failing(busy), { backoff: () => ({ delayMs: NaN, capMs: Infinity, giveUp: false }) })).toMatch(
        /^1-0 dead .*delayMs/,
      );
    });
  });

  it("makes a dead letter, without the handler, of what was delivered too often: it may be what kills the process", async () => {
    const handler = vi.fn(() => 1);
    const recording = runOne(handler, { maxDeliveries: 5 }, new TestSource().one("1-0", {}, 6));
    expect(handler).not.toHaveBeenCalled();
    expect(causeOf(recording.values[0])).toBeInstanceOf(DeliveriesExhaustedError);
    expect(summary(recording.values[0]!)).toMatch(/^1-0 dead Delivered 6 times/);
    expect(await outcome(handler, { maxDeliveries: 5 }, 5)).toBe("1-0 = 1");
  });

  it("lets what is settled pass at once, past those that wait", () => {
    const [a, b] = new TestSource().many(2);
    const passing = settle.ack(b!, "filtered");
    marbles(({ cold, expectObservable }) => {
      const result = cold("-ab|", { a: a!, b: passing }).pipe(
        retryToDLQ(() => cold("-----x|"), options),
        map(summary),
      );
      expectObservable(result).toBe("--p----(h|)", { p: "2-0 ack filtered", h: '1-0 = "x"' });
    });
  });

  describe("concurrency", () => {
    it("runs so many handlers at a time, and the next when one is through", () => {
      const [a, b, c] = new TestSource().many(3);
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const work = cold("---x|");
        const result = cold("(abc|)", { a: a!, b: b!, c: c! }).pipe(
          retryToDLQ(() => work, { ...options, concurrency: 2 }),
          map(summary),
        );
        expectObservable(result).toBe("----(ab)(c|)", { a: '1-0 = "x"', b: '2-0 = "x"', c: '3-0 = "x"' });
        expectSubscriptions(work.subscriptions).toBe(["^---!", "^---!", "----^---!"]);
      });
    });

    it("keeps the order with concurrency 1, whatever each takes", () => {
      const deliveries = new TestSource().many(3);
      marbles(({ cold, expectObservable }) => {
        const takes = [30, 0, 10];
        const handler = ({ n }: Fields): Observable<string | undefined> => timer(takes[Number(n) - 1]!).pipe(map(() => n));
        const result = cold("(abc|)", { a: deliveries[0]!, b: deliveries[1]!, c: deliveries[2]! }).pipe(
          retryToDLQ(handler, { ...options, concurrency: 1 }),
          map(({ _tag }) => _tag[0]),
        );
        expectObservable(result).toBe("30ms (DD) 6ms (D|)");
      });
    });

    it("emits as they are ready with more than one", () => {
      const deliveries = new TestSource().many(3);
      const recording: Recording<string>[] = [];
      timeline({
        0: () => {
          const handler = ({ n }: Fields): Observable<number> => timer([30, 5, 10][Number(n) - 1]!);
          recording.push(
            record(
              from(deliveries).pipe(
                retryToDLQ(handler, { ...options, concurrency: 3 }),
                map((item) => summary(item)),
              ),
            ),
          );
        },
      });
      expect(recording[0]).toMatchObject({ values: ["2-0 = 0", "3-0 = 0", "1-0 = 0"], times: [5, 10, 30], ended: "complete" });
    });

    it("never runs more than 16 at a time by default, and never more than it may", () => {
      for (const [concurrency, most] of [
        [undefined, 16],
        [3, 3],
      ] as const) {
        // prettier-ignore
        let running = 0;
        let peak = 0;
        const handler = (): Observable<number> =>
          new Observable((subscriber) => {
            peak = Math.max(peak, (running += 1));
            subscriber.add(
              timer(7).subscribe({ complete: () => subscriber.complete(), error: (error: unknown) => subscriber.error(error) }),
            );
            return () => (running -= 1);
          });
        let recording: Recording<Flow<number>> | undefined;
        timeline({
          0: () => (recording = record(from(new TestSource().many(100)).pipe(retryToDLQ(handler, { ...options, concurrency })))),
        });
        expect(peak).toBe(most);
        expect(running).toBe(0);
        expect(recording!.values).toHaveLength(100);
      }
    });

    it("handles 20 000 deliveries that are answered at once without growing the stack", () => {
      const deliveries = new TestSource({ window: 20_000 }).many(20_000);
      for (const concurrency of [1, 16]) {
        let count = 0;
        const recording = record(from(deliveries).pipe(retryToDLQ(() => (count += 1), { ...options, concurrency })));
        expect(recording.values).toHaveLength(20_000);
        expect(recording.ended).toBe("complete");
      }
    });

    it("handles 20 000 deliveries that waited, and are then answered at once, without growing the stack", () => {
      const gate = new Subject<void>();
      const deliveries = new TestSource({ window: 20_000 }).many(20_000);
      const handler = ({ n }: Fields): unknown => (n === "1" ? gate : Number(n) % 2 === 0 ? n : of(n));
      const recording = record(from(deliveries).pipe(retryToDLQ(handler, { ...options, concurrency: 1 })));
      expect(recording.values).toHaveLength(0);
      gate.complete();
      expect(recording.values).toHaveLength(20_000);
      expect(recording.ended).toBe("complete");
    });
  });

  describe("timeoutMs", () => {
    it("settles a retry, aborts the signal, and lets go of the handler", () => {
      const delivery = new TestSource().one("1-0");
      const { signal } = delivery;
      const work$ = new Subject<number>();
      let recording: Recording<Flow<number>> | undefined;
      let abortedAt = 0;
      signal.addEventListener("abort", () => (abortedAt = nowMs()));
      timeline({ 1: () => (recording = record(of(delivery).pipe(retryToDLQ(() => work$, { ...options, timeoutMs: 50 })))) });
      expect(recording!.values.map(summary)).toEqual(["1-0 retry 100 The handler was not through after 50 ms (timeoutMs)"]);
      expect(causeOf(recording!.values[0])).toBeInstanceOf(HandlerTimeoutError);
      expect(recording).toMatchObject({ times: [51], ended: "complete" });
      expect(abortedAt).toBe(51);
      expect(signal.reason).toBeInstanceOf(HandlerTimeoutError);
      expect(work$.observed).toBe(false);
    });

    it("aborts the signal also for a handler that looks at it only afterwards", () => {
      const aborted: boolean[] = [];
      const handler = (_: Fields, delivery: Delivery<Fields>): Observable<never> => {
        record(timer(80), () => aborted.push(delivery.signal.aborted));
        return NEVER;
      };
      timeline({ 0: () => runOne(handler, { timeoutMs: 50 }) });
      expect(aborted).toEqual([true]);
    });

    it("ignores what the handler answers later, and frees its place", async () => {
      vi.useFakeTimers();
      const answers: ((value: number) => void)[] = [];
      const handler = (): Promise<number> => new Promise((resolve) => answers.push(resolve));
      const recording = record(from(new TestSource().many(2)).pipe(retryToDLQ(handler, { ...options, timeoutMs: 50, concurrency: 1 })));
      await vi.advanceTimersByTimeAsync(50);
      expect(answers).toHaveLength(2);
      answers[0]!(1);
      answers[1]!(2);
      await vi.advanceTimersByTimeAsync(100);
      expect(recording.values.map(summary)).toEqual(["1-0 retry 100 The handler was not through after 50 ms (timeoutMs)", "2-0 = 2"]);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("takes no late answer for that of a handler that came after", async () => {
      vi.useFakeTimers();
      const answers: ((value: number) => void)[] = [];
      const handler = (): Promise<number> => new Promise((resolve) => answers.push(resolve));
      const recording = record(from(new TestSource().many(4)).pipe(retryToDLQ(handler, { ...options, timeoutMs: 50, concurrency: 1 })));
      answers[0]!(1);
      await vi.advanceTimersByTimeAsync(51); // the second is out of time, the third under way
      answers[1]!(2);
      await vi.advanceTimersByTimeAsync(1);
      expect(recording.values).toHaveLength(2);
      answers[2]!(3);
      await vi.advanceTimersByTimeAsync(1);
      answers[3]!(4);
      await vi.advanceTimersByTimeAsync(100);
      const timedOut = "2-0 retry 100 The handler was not through after 50 ms (timeoutMs)";
      expect(recording.values.map(summary)).toEqual(["1-0 = 1", timedOut, "3-0 = 3", "4-0 = 4"]);
    });

    it("leaves no timer behind a handler that was in time", () => {
      vi.useFakeTimers();
      const work$ = new Subject<number>();
      const recording = runOne(() => work$, { timeoutMs: 50 });
      expect(vi.getTimerCount()).toBe(1);
      work$.complete();
      expect(vi.getTimerCount()).toBe(0);
      expect(recording.ended).toBe("complete");
    });

    it("asks `retryable` about it, too", () => {
      let recording: Recording<Flow<unknown>> | undefined;
      timeline({
        0: () => (recording = runOne(() => NEVER, { timeoutMs: 5, retryable: (error) => !(error instanceof HandlerTimeoutError) })),
      });
      expect(recording!.values.map(summary)).toEqual(["1-0 dead The handler was not through after 5 ms (timeoutMs)"]);
    });
  });

  describe("when a delivery is lost to another consumer", () => {
    it("lets a running handler go: aborted, unsubscribed, released, and its place taken by the next", () => {
      const source = new TestSource();
      const [a, b] = source.many(2);
      const { signal } = a!;
      const work = [new Subject<number>(), new Subject<number>()];
      const recording = record(
        from([a!, b!]).pipe(retryToDLQ(({ n }) => work[Number(n) - 1]!, { ...options, concurrency: 1, timeoutMs: 1_000 })),
      );
      expect(work.map(({ observed }) => observed)).toEqual([true, false]);
      source.lose(a!);
      expect(signal.aborted).toBe(true);
      expect(work.map(({ observed }) => observed)).toEqual([false, true]);
      work[0]!.next(1);
      work[1]!.next(2);
      work[1]!.complete();
      expect(recording.values.map(summary)).toEqual(["1-0 release", "2-0 = 2"]);
      expect(recording.ended).toBe("complete");
    });

    it("ignores the promise of a handler that goes on", async () => {
      const source = new TestSource();
      const delivery = source.one("1-0");
      const recording = runOne(() => Promise.resolve(5), {}, delivery);
      source.lose(delivery);
      await Promise.resolve();
      expect(recording.values.map(summary)).toEqual(["1-0 release"]);
      expect(recording.ended).toBe("complete");
    });

    it("does not begin with one that was lost while it waited", () => {
      const source = new TestSource();
      const [a, b, c] = source.many(3);
      const gate = new Subject<void>();
      const handler = vi.fn(({ n }: Fields): unknown => (n === "1" ? gate : n));
      const recording = record(from([a!, b!, c!]).pipe(retryToDLQ(handler, { ...options, concurrency: 1 })));
      source.lose(b!);
      gate.complete();
      expect(recording.values.map(summary)).toEqual(["1-0 = undefined", "2-0 release", '3-0 = "3"']);
      expect(handler).toHaveBeenCalledTimes(2);
    });

    it("lets it go beside a handler that ends because of that", () => {
      const source = new TestSource();
      const [a, b] = source.many(2);
      const work = [new Subject<number>(), new Subject<number>()];
      const handlers = retryToDLQ<Fields, number>(({ n }) => work[Number(n) - 1]!, { ...options, concurrency: 2 });
      const recording = record(from([a!, b!]).pipe(handlers), () => work[1]!.complete());
      source.lose(a!);
      expect(recording.values.map(summary)).toEqual(["1-0 release", "2-0 = undefined"]);
      expect(recording.ended).toBe("complete");
    });

    it("lets all go when the source is over, and begins with none of those that waited", () => {
      const source = new TestSource();
      const deliveries = source.many(20);
      const input = new Subject<Flow<Fields>>();
      const handler = vi.fn(() => NEVER);
      const recording = record(input.pipe(retryToDLQ(handler, { ...options, concurrency: 3 })));
      deliveries.forEach((delivery) => input.next(delivery));
      source.ledger.abandon(new Error("over"));
      input.complete();
      expect(recording.values.map(summary).sort()).toEqual(deliveries.map(({ id }) => `${id} release`).sort());
      expect(handler).toHaveBeenCalledTimes(3);
      expect(recording.ended).toBe("complete");
    });
  });

  describe("when the source ends", () => {
    it("completes after the last handler", () => {
      const a = new TestSource().one("1-0");
      marbles(({ cold, expectObservable }) => {
        expectObservable(
          cold("a|", { a }).pipe(
            retryToDLQ(() => cold("-----x|"), options),
            map(summary),
          ),
        ).toBe("------(x|)", { x: '1-0 = "x"' });
      });
    });

    it("finishes what waits as well", () => {
      const deliveries = new TestSource().many(3);
      let recording: Recording<Flow<number>> | undefined;
      timeline({ 0: () => (recording = record(from(deliveries).pipe(retryToDLQ(() => timer(10), { ...options, concurrency: 1 })))) });
      expect(recording).toMatchObject({ times: [10, 20, 30], ended: "complete", endedAt: 30 });
    });

    it("is empty when the source is, and never when it never emits", () => {
      marbles(({ expectObservable }) => {
        expectObservable(EMPTY.pipe(retryToDLQ(() => 1, options))).toBe("|");
        expectObservable(NEVER.pipe(retryToDLQ(() => 1, options))).toBe("-");
      });
    });

    it("passes an error at once, and lets the handlers go", () => {
      const a = new TestSource().one("1-0");
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const work = cold("----------x|");
        expectObservable(cold("-a-#", { a }).pipe(retryToDLQ(() => work, options))).toBe("---#");
        expectSubscriptions(work.subscriptions).toBe("-^-!");
      });
    });
  });

  describe("when it is unsubscribed early", () => {
    it("lets go of the source and of all handlers, and leaves no timer", () => {
      vi.useFakeTimers();
      const input = new Subject<Flow<Fields>>();
      const work$ = new Subject<number>();
      const recording = record(input.pipe(retryToDLQ(() => work$, { ...options, concurrency: 2, timeoutMs: 50 })));
      new TestSource().many(5).forEach((delivery) => input.next(delivery));
      expect(vi.getTimerCount()).toBe(2);
      recording.stop();
      expect([input.observed, work$.observed, vi.getTimerCount()]).toEqual([false, false, 0]);
      expect(recording.values).toEqual([]);
    });

    it("begins no handler any more, in the middle of a run", () => {
      const handler = vi.fn(() => 1);
      const { values } = record(from(new TestSource().many(10)).pipe(retryToDLQ(handler, { ...options, concurrency: 1 }), take(2)));
      expect(values).toHaveLength(2);
      expect(handler).toHaveBeenCalledTimes(2);
    });
  });

  describe("when the same delivery comes twice", () => {
    it("ends, lets go of everything, and emits no more than came", () => {
      vi.useFakeTimers();
      const delivery = new TestSource().one("1-0");
      const work = [new Subject<number>(), new Subject<number>()];
      let next = 0;
      const recording = record(
        from([delivery, delivery]).pipe(retryToDLQ(() => work[next++]!, { ...options, concurrency: 2, timeoutMs: 50 })),
      );
      work.forEach((each$) => each$.complete());
      expect(recording.ended).toBe("complete");
      expect(recording.values.length).toBeLessThanOrEqual(2);
      expect(work.map(({ observed }) => observed)).toEqual([false, false]);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("lets go of both handlers when it is unsubscribed", () => {
      const delivery = new TestSource().one("1-0");
      const input = new Subject<Flow<Fields>>();
      const work = [new Subject<number>(), new Subject<number>()];
      let next = 0;
      const recording = record(input.pipe(retryToDLQ(() => work[next++]!, { ...options, concurrency: 2 })));
      input.next(delivery);
      input.next(delivery);
      recording.stop();
      expect(work.map(({ observed }) => observed)).toEqual([false, false]);
    });

    it("handles it twice, one after the other, with concurrency 1", () => {
      const delivery = new TestSource().one("1-0");
      let recording: Recording<Flow<number>> | undefined;
      timeline({
        0: () => (recording = record(from([delivery, delivery]).pipe(retryToDLQ(() => timer(10), { ...options, concurrency: 1 })))),
      });
      expect(recording).toMatchObject({ times: [10, 20], ended: "complete" });
    });
  });

  it("errors the pipeline for what is no delivery of a source, instead of the process", () => {
    const copy = Object.assign({ _tag: "Delivery" }, new TestSource().one("1-0")) as unknown as Flow<Fields>;
    const input = new Subject<Flow<Fields>>();
    const recording = record(input.pipe(retryToDLQ(() => 1, options)));
    timeline({ 1: () => input.next(copy), 2: () => input.complete() });
    expect(recording.error).toBeInstanceOf(TypeError);
  });

  it("works beside plain operators that emit the deliveries they received", async () => {
    const items$ = from(new TestSource().many(2)).pipe(
      mergeMap((delivery) => Promise.resolve(delivery)),
      retryToDLQ(({ n }) => Number(n), options),
      map(summary),
    );
    const recording = record(items$);
    await vi.waitFor(() => expect(recording.ended).toBe("complete"));
    expect(recording.values).toEqual(["1-0 = 1", "2-0 = 2"]);
  });

  it.each<readonly [Partial<RetryToDLQOptions>, RegExp]>([
    [{ maxDeliveries: 0 }, /^Expected `maxDeliveries` to be an integer of 1 or more/],
    [{ maxDeliveries: undefined as never }, /^Expected `maxDeliveries`/],
    [{ concurrency: 0 }, /^Expected `concurrency` to be an integer from 1 to 100000/],
    [{ concurrency: Infinity }, /^Expected `concurrency`/],
    [{ timeoutMs: 0 }, /^Expected `timeoutMs` to be an integer from 1 to 2147483647/],
    [{ timeoutMs: 2 ** 31 }, /^Expected `timeoutMs`/],
    [{ backoff: 5 as never }, /^Expected `backoff` to be a function/],
    [{ retryable: 5 as never }, /^Expected `retryable` to be a function/],
  ])("refuses %j when it is called", (wrong, message) => expect(() => retryToDLQ(() => 1, { ...options, ...wrong })).toThrow(message));

  it("refuses a handler that is no function", () => {
    expect(() => retryToDLQ(5 as never, options)).toThrow(/^Expected `handler` to be a function/);
  });
});

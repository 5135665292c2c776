import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { EMPTY, finalize, from, map, NEVER, of, pipe, Subject, take, throwError, timer, type Observable } from "rxjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { fixed } from "../../src/model/retry-policy.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { batch, type BatchOptions } from "../../src/operators/batch.js";
import { summary, TestSource } from "../support/deliveries.js";
import { marbles, nowMs, record, timeline, type Recording } from "../support/virtual-time.js";

type Handler = (values: readonly Fields[], deliveries: readonly Delivery<Fields>[], signal: AbortSignal) => never;

/** Answers of tests are of every kind there is; what the types allow is the business of the type tests. */
const batched = (
  handler: (...args: Parameters<Handler>) => unknown,
  options: BatchOptions = {},
): ((source: Observable<Flow<Fields>>) => Observable<Flow<unknown>>) =>
  batch<Fields, unknown>(handler as Handler, { maxSize: 3, maxWaitMs: 20, maxDeliveries: 5, backoff: fixed(100), ...options });

const numbers = (values: readonly Fields[]): string => values.map(({ n }) => n).join("");

/** A handler that writes down its calls and throws when a poison entry is in one. */
function poisonedBy(...poison: readonly string[]): { calls: string[]; handler: (values: readonly Fields[]) => string[] } {
  const calls: string[] = [];
  const handler = (values: readonly Fields[]): string[] => {
    calls.push(numbers(values));
    if (values.some(({ n }) => poison.includes(n!))) throw new Error("poison");
    return values.map(({ n }) => `done ${n}`);
  };
  return { calls, handler };
}

const runThree = (handler: (...args: Parameters<Handler>) => unknown, options: BatchOptions = {}): Recording<Flow<unknown>> =>
  record(from(new TestSource().many(3)).pipe(batched(handler, options)));

const outcomes = async (handler: (...args: Parameters<Handler>) => unknown, options: BatchOptions = {}): Promise<string[]> => {
  const recording = runThree(handler, options);
  await vi.waitFor(() => expect(recording.ended).toBe("complete"));
  return recording.values.map(summary);
};

afterEach(() => {
  vi.useRealTimers();
});

describe("batch", () => {
  it("calls the handler once for many, with values, deliveries and a signal", () => {
    const deliveries = new TestSource().many(3);
    const handler = vi.fn((values: readonly Fields[]) => values.map(() => 1));
    record(from(deliveries).pipe(batched(handler)));
    expect(handler.mock.calls).toEqual([[deliveries.map(({ value }) => value), deliveries, expect.any(AbortSignal)]]);
  });

  describe("a batch goes", () => {
    const nine = (): Record<string, Delivery<Fields>> =>
      Object.fromEntries(new TestSource().many(9).map((delivery, index) => [String(index + 1), delivery]));
    const together = (options: BatchOptions): ((source: Observable<Flow<Fields>>) => Observable<unknown>) =>
      pipe(
        batched((values) => values.map(() => numbers(values)), options),
        map((item) => (item as Delivery<string>).value),
      );

    it("when it is full, and with what is left at the end", () => {
      marbles(({ hot, expectObservable }) => {
        expectObservable(hot("1-2-3-4-5-|", nine()).pipe(together({}))).toBe("----(aaa)-(bb|)", { a: "123", b: "45" });
      });
    });

    it("when its first delivery has waited for maxWaitMs", () => {
      marbles(({ hot, expectObservable }) => {
        const result = hot("1-2-----3---|", nine()).pipe(together({ maxWaitMs: 4 }));
        expectObservable(result).toBe("----(aa)----(b|)", { a: "12", b: "3" });
      });
    });

    it("when its source is out of credit and waits for it", () => {
      const source = new TestSource({ window: 4 });
      const all = source.many(4);
      marbles(({ hot, expectObservable }) => {
        const result = hot("1----", { 1: all[0]! }).pipe(together({ maxSize: 50, maxWaitMs: 1_000 }));
        expectObservable(result, "^ 9ms !").toBe("a", { a: "1" });
      });
    });

    it("when a place is free, however long all were busy: the next one grows meanwhile", () => {
      const calls: string[] = [];
      marbles(({ hot, flush }) => {
        const slow = (values: readonly Fields[]): Observable<undefined> => {
          calls.push(`${nowMs()} ${numbers(values)}`);
          return timer(30).pipe(map(() => undefined));
        };
        record(hot("1-----2--3-4-5|", nine()).pipe(batched(slow, { maxWaitMs: 2 })));
        flush();
      });
      expect(calls).toEqual(["2 1", "32 234", "62 5"]);
    });

    it("beside others, as many as concurrency allows", () => {
      let running = 0;
      let most = 0;
      marbles(({ flush }) => {
        const slow = (): Observable<undefined> => {
          most = Math.max(most, (running += 1));
          return timer(10).pipe(map(() => void (running -= 1)));
        };
        record(from(new TestSource().many(30)).pipe(batched(slow, { concurrency: 4 })));
        flush();
      });
      expect(most).toBe(4);
    });
  });

  describe("what the handler answers", () => {
    const three = ['1-0 = "a"', '2-0 = "b"', '3-0 = "c"'];
    const abc = ["a", "b", "c"];
    it.each<readonly [string, Parameters<typeof outcomes>[0], readonly string[]]>([
      ["a value per item", () => abc, three],
      ["a promise of values", () => Promise.resolve(abc), three],
      ["an Observable of values", () => of(abc), three],
      ["a Right of values", () => E.right(abc), three],
      ["a TaskEither of values", () => TE.right(abc), three],
      ["a promise per item", () => abc.map((each) => Promise.resolve(each)), three],
      ["a promise of an Observable per item", () => Promise.resolve(abc.map((each) => of(0, each))), three],
      ["a TaskEither per item", () => abc.map((each) => TE.right(each)), three],
      ["nothing: all went well", () => undefined, ["1-0 = undefined", "2-0 = undefined", "3-0 = undefined"]],
      ["a promise of nothing", () => Promise.resolve(), ["1-0 = undefined", "2-0 = undefined", "3-0 = undefined"]],
      ["an Either per item", () => ["a", E.left("no"), E.right("c")], [three[0]!, "2-0 retry 100 no", three[2]!]],
      ["a decision about an item", (_, all) => ["a", settle.ack(all[1]!, "duplicate"), "c"], [three[0]!, "2-0 ack duplicate", three[2]!]],
      ["a rejection of an item", () => ["a", Promise.reject(new Error("no")), "c"], [three[0]!, "2-0 retry 100 no", three[2]!]],
      ["a TaskEither of an item that throws", () => ["a", () => expectNo(), "c"], [three[0]!, "2-0 retry 100 no", three[2]!]],
    ])("%s", async (_, handler, expected) => expect(await outcomes(handler)).toEqual(expected));

    const wrong = "The handler of batch got 3 values and answered with";
    it.each<readonly [string, unknown, string]>([
      ["too few", ["a"], `${wrong} 1 results`],
      ["too many", [...abc, "d"], `${wrong} 4 results`],
      ["none", [], `${wrong} 0 results`],
      ["a promise of too few", Promise.resolve(["a"]), `${wrong} 1 results`],
      ["no array", 5, `${wrong} a value of type number`],
      ["null", null, `${wrong} null`],
    ])("retries all, in one call, when the results are %s", async (_, answer, message) => {
      const handler = vi.fn(() => answer);
      expect(await outcomes(handler)).toEqual([1, 2, 3].map((n) => expect.stringContaining(`${n}-0 retry 100 ${message}`) as string));
      expect(handler).toHaveBeenCalledTimes(1);
    });
  });

  describe("when a call throws", () => {
    it("bisects it until the poison entry is alone, in order", () => {
      const { calls, handler } = poisonedBy("6");
      const recording = record(from(new TestSource().many(8)).pipe(batched(handler, { maxSize: 8 })));
      expect(calls).toEqual(["12345678", "1234", "5678", "56", "5", "6", "78"]);
      expect(recording.values.map(summary)).toEqual([
        ...[1, 2, 3, 4, 5].map((n) => `${n}-0 = "done ${n}"`),
        "6-0 retry 100 poison",
        ...[7, 8].map((n) => `${n}-0 = "done ${n}"`),
      ]);
    });

    it.each(["rejects", "errors", "answers Left"])("does so as well when it %s", async (how) => {
      const fail: Record<string, () => unknown> = {
        rejects: () => Promise.reject(new Error("poison")),
        errors: () => throwError(() => new Error("poison")),
        "answers Left": () => TE.left(new Error("poison")),
      };
      const calls: string[] = [];
      const handler = (values: readonly Fields[]): unknown => {
        calls.push(numbers(values));
        return values.some(({ n }) => n === "2") ? fail[how]!() : undefined;
      };
      expect(await outcomes(handler)).toEqual(["1-0 = undefined", "2-0 retry 100 poison", "3-0 = undefined"]);
      expect(calls).toEqual(["123", "12", "1", "2", "3"]);
    });

    it("makes a dead letter of the poison entry when it is worth no other delivery, and of nothing else", () => {
      const source = new TestSource();
      const all = [source.one("1-0", { n: "1" }), source.one("2-0", { n: "2" }, 5), source.one("3-0", { n: "3" })];
      const recording = record(from(all).pipe(batched(poisonedBy("2").handler)));
      expect(recording.values.map(summary)).toEqual(['1-0 = "done 1"', "2-0 dead poison", '3-0 = "done 3"']);
      expect(summary(runThree(poisonedBy("1").handler, { retryable: () => false }).values[0]!)).toBe("1-0 dead poison");
    });

    it("finds every poison entry of 1 000 with less than 2 × log2 n calls each", () => {
      const { calls, handler } = poisonedBy("17", "600", "601");
      const recording = record(from(new TestSource({ window: 10_000 }).many(1_000)).pipe(batched(handler, { maxSize: 1_000 })));
      expect(recording.values.map(summary).filter((each) => each.includes("poison"))).toHaveLength(3);
      expect(recording.values.map(({ _tag }) => _tag).filter((tag) => tag === "Delivery")).toHaveLength(997);
      expect(calls.length).toBeLessThan(1 + 3 * 2 * Math.log2(1_000));
    });

    it("leaves the stack flat although every call throws", () => {
      const recording = record(from(new TestSource({ window: 100_000 }).many(20_000)).pipe(batched(() => expectNo(), { maxSize: 20_000 })));
      expect(recording.values).toHaveLength(20_000);
    });

    it("does not bisect what is not worth it", () => {
      const handler = vi.fn(() => expectNo());
      const recording = runThree(handler, { bisect: (error) => (error as Error).message !== "no" });
      expect(recording.values.map(summary)).toEqual(["1-0 retry 100 no", "2-0 retry 100 no", "3-0 retry 100 no"]);
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("gives the bug of the predicate as the reason when that throws", () => {
      const recording = runThree(() => expectNo(), {
        bisect: () => {
          throw new Error("bug");
        },
      });
      expect(recording.values.map(summary)).toEqual([1, 2, 3].map((n) => `${n}-0 retry 100 bug`));
    });
  });

  it("makes a dead letter of what was delivered too often before any handler sees it", () => {
    const source = new TestSource();
    const calls: string[] = [];
    const recording = record(
      from([source.one("1-0", { n: "1" }, 6), source.one("2-0", { n: "2" })]).pipe(batched((values) => void calls.push(numbers(values)))),
    );
    expect(recording.values.map(summary)).toEqual([expect.stringMatching(/^1-0 dead Delivered 6 times/), "2-0 = undefined"]);
    expect(calls).toEqual(["2"]);
  });

  describe("when a call is out of time", () => {
    it("aborts its signal, bisects, and fails the slow one alone", () => {
      const aborted: string[] = [];
      marbles(({ flush }) => {
        const handler = (values: readonly Fields[], _: unknown, signal: AbortSignal): unknown => {
          signal.addEventListener("abort", () => aborted.push(`${nowMs()} ${numbers(values)}`));
          return values.some(({ n }) => n === "2") ? NEVER : undefined;
        };
        const recording = runThree(handler, { timeoutMs: 10 });
        flush();
        expect(recording.values.map(summary)).toEqual([
          "1-0 = undefined",
          "2-0 retry 100 The handler was not through after 10 ms (timeoutMs)",
          "3-0 = undefined",
        ]);
      });
      expect(aborted).toEqual(["10 123", "20 12", "30 2"]);
    });

    it("fails a late item alone, without another call", () => {
      const handler = vi.fn(() => [1, NEVER, 3]);
      marbles(({ flush }) => {
        const recording = runThree(handler, { timeoutMs: 10 });
        flush();
        expect(recording.values.map(summary)).toEqual(["1-0 = 1", expect.stringMatching(/^2-0 retry 100 The handler was not/), "3-0 = 3"]);
      });
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("does not listen to what comes too late", () => {
      marbles(({ flush }) => {
        const recording = runThree((values) => timer(15).pipe(map(() => values.map(() => "late"))), { timeoutMs: 10, bisect: () => false });
        flush();
        expect(recording.values).toHaveLength(3);
        expect(recording.values.map(summary)).not.toContain('1-0 = "late"');
      });
    });
  });

  describe("when deliveries are lost to another consumer", () => {
    it("gives those back at once and goes on with the others", () => {
      const source = new TestSource();
      const all = source.many(3);
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(batched((values) => timer(10).pipe(map(() => values.map(({ n }) => n))))));
      timeline({
        0: () => all.forEach((each) => input.next(each)),
        5: () => source.lose(all[1]!),
        6: () => expect(recording.values.map(summary)).toEqual(["2-0 release"]),
        20: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(["2-0 release", '1-0 = "1"', '3-0 = "3"']);
      expect(recording.ended).toBe("complete");
    });

    it("aborts the call when all are, and takes the next batch", () => {
      const source = new TestSource();
      const all = source.many(6);
      const input = new Subject<Flow<Fields>>();
      const signals: AbortSignal[] = [];
      const recording = record(input.pipe(batched((_values, _all, signal) => (signals.push(signal) === 1 ? NEVER : undefined))));
      timeline({
        0: () => all.forEach((each) => input.next(each)),
        5: () => source.lose(...all.slice(0, 3)),
        6: () => input.complete(),
      });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
      expect(recording.values.map(summary)).toEqual([
        ...[1, 2, 3].map((n) => `${n}-0 release`),
        ...[4, 5, 6].map((n) => `${n}-0 = undefined`),
      ]);
      expect(recording.ended).toBe("complete");
    });

    it("leaves them out of the call when they are lost before it, and out of the halves", () => {
      const source = new TestSource();
      const all = source.many(4);
      const calls: string[] = [];
      const handler = (values: readonly Fields[]): unknown => {
        calls.push(numbers(values));
        if (values.length < 3) return undefined;
        source.lose(all[3]!);
        throw new Error("poison");
      };
      source.lose(all[0]!);
      const recording = record(from(all).pipe(batched(handler, { maxSize: 4 })));
      expect(calls).toEqual(["234", "2", "3"]);
      expect(recording.values.map(summary)).toEqual(["1-0 release", "4-0 release", "2-0 = undefined", "3-0 = undefined"]);
    });

    it("lets everything go when its source gives up, so that the pipeline can end", () => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(batched(() => NEVER)));
      timeline({
        0: () => source.many(8).forEach((each) => input.next(each)),
        5: () => source.ledger.abandon(new Error("over")),
        6: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(Array.from({ length: 8 }, (_, n) => `${n + 1}-0 release`));
      expect(recording.ended).toBe("complete");
    });

    it("gives each back once, also when that ends its source", () => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(batched(() => NEVER)), () => source.ledger.abandon(new Error("over")));
      const all = source.many(3);
      for (const each of all) input.next(each);
      source.lose(all[0]!);
      input.complete();
      expect(recording.values.map(summary)).toEqual(["1-0 release", "2-0 release", "3-0 release"]);
      expect(recording.ended).toBe("complete");
    });

    it("waits for the other half, also when it has begun while this one was given back", () => {
      const source = new TestSource();
      const [one, two, other] = source.many(3);
      const half = new Subject<void>();
      const handler = ([{ n } = {}, ...more]: readonly Fields[]): unknown => (more.length > 0 ? throwError(() => "poison") : n === "1" ? NEVER : half); // prettier-ignore
      const recording = record(of(one!, two!).pipe(batched(handler)), () => source.lose(other!));
      source.lose(one!);
      expect(recording.ended).toBe(undefined);
      half.complete();
      expect(recording.values.map(summary)).toEqual(["1-0 release", "2-0 = undefined"]);
      expect(recording.ended).toBe("complete");
    });
  });

  it("passes on at once what is settled", () => {
    const delivery = new TestSource().one("1-0");
    const settled: Flow<Fields> = settle.ack(delivery);
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot("-1--|", { 1: settled }).pipe(batched(() => expectNo()))).toBe("-1--|", { 1: settled });
    });
  });

  it("settles the same delivery each time it comes: the sink counts the first", () => {
    const delivery = new TestSource().one("1-0");
    expect(record(of(delivery, delivery).pipe(batched(() => undefined))).values).toHaveLength(2);
  });

  it("follows its source in completion, error and silence", () => {
    const [one] = new TestSource().many(1);
    marbles(({ hot, expectObservable }) => {
      expectObservable(EMPTY.pipe(batched(() => undefined))).toBe("|");
      expectObservable(NEVER.pipe(batched(() => undefined))).toBe("-");
      expectObservable(hot("-1-#", { 1: one! }).pipe(batched(() => undefined))).toBe("---#");
    });
  });

  it("is left without timer, listener or call when it is unsubscribed", () => {
    const source = new TestSource();
    const [one, two, three, four] = source.many(4);
    const stops = vi.fn();
    vi.spyOn(source.ledger, "watch").mockReturnValue(stops);
    let signal: AbortSignal | undefined;
    let unsubscribed = 0;
    marbles(({ hot, expectObservable, expectSubscriptions, flush }) => {
      const source$ = hot("(123)4----", { 1: one!, 2: two!, 3: three!, 4: four! });
      const handler = (_values: unknown, _all: unknown, given: AbortSignal): unknown => {
        signal = given;
        return NEVER.pipe(finalize(() => (unsubscribed += 1)));
      };
      expectObservable(source$.pipe(batched(handler, { maxWaitMs: 1_000_000 })), "^------!").toBe("-");
      expectSubscriptions(source$.subscriptions).toBe("^------!");
      flush();
    });
    expect(stops).toHaveBeenCalledTimes(1);
    expect(signal?.aborted).toBe(true);
    expect(unsubscribed).toBe(1);
  });

  it("does not call its handler when it is unsubscribed because of what it gives back before", () => {
    const source = new TestSource();
    const [lost, other] = source.many(2);
    const handler = vi.fn(() => undefined);
    source.lose(lost!);
    record(of(lost!, other!).pipe(batched(handler), take(1)));
    expect(handler).not.toHaveBeenCalled();
  });

  it("stops a synchronous source as soon as its subscriber has had enough", () => {
    const recording = record(
      from(new TestSource().many(100)).pipe(
        batched(() => undefined),
        take(2),
      ),
    );
    expect(recording.values).toHaveLength(2);
    expect(recording.ended).toBe("complete");
  });

  it.each<readonly [BatchOptions, RegExp]>([
    [{ maxSize: 0 }, /^Expected `maxSize` to be an integer from 1 to 100000, got `0`/],
    [{ maxWaitMs: -1 }, /^Expected `maxWaitMs`/],
    [{ concurrency: 0 }, /^Expected `concurrency`/],
    [{ maxDeliveries: 0 }, /^Expected `maxDeliveries`/],
    [{ timeoutMs: 0 }, /^Expected `timeoutMs`/],
    [{ bisect: true as never }, /^Expected `bisect` to be a function/],
    [{ backoff: 5 as never }, /^Expected `backoff` to be a function/],
  ])("refuses %j when it is called", (options, error) => expect(() => batch(() => undefined, options)).toThrow(error));
});

function expectNo(): never {
  throw new Error("no");
}

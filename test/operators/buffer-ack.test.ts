import { concat, EMPTY, from, map, NEVER, of, Subject, take, throwError, timer } from "rxjs";
import { afterEach, describe, expect, it, vi, type Mock } from "vitest";
import { deliveryOf, settle, type Flow, type SettlementBatch } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { TestSource } from "../support/deliveries.js";
import { marbles, record, timeline } from "../support/virtual-time.js";

/** A batch in a word: `"size a b"`. */
const outline = ({ items, trigger }: SettlementBatch): string => [trigger, ...items.map((item) => deliveryOf(item).id.charAt(0))].join(" ");

/** Nine deliveries by digit, so that a digit in a marble diagram is the delivery of that id. */
function nine(source = new TestSource()): Record<string, Flow<unknown>> {
  return Object.fromEntries(source.many(9).map((delivery) => [delivery.id.charAt(0), delivery]));
}

/** A source whose listeners are known. */
function watched(): { source: TestSource; ledger: TestSource["ledger"]; stops: Mock<() => void>[] } {
  const source = new TestSource({ window: 100 });
  const stops: Mock<() => void>[] = [];
  const watch = source.ledger.watch.bind(source.ledger);
  vi.spyOn(source.ledger, "watch").mockImplementation((watcher) => {
    const stop = vi.fn(watch(watcher));
    stops.push(stop);
    return stop;
  });
  return { source, ledger: source.ledger, stops };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("bufferAck", () => {
  it("emits a batch when it has maxSize decisions", () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source$ = hot("  -1-2-3-4-5-6--|", nine());
      const subs = "         ^-------------!";
      const expected = "     -----a-----b--|";
      const batches = source$.pipe(bufferAck({ maxSize: 3, maxWaitMs: 1_000 }), map(outline));
      expectObservable(batches).toBe(expected, { a: "size 1 2 3", b: "size 4 5 6" });
      expectSubscriptions(source$.subscriptions).toBe(subs);
    });
  });

  it("emits a batch maxWaitMs after its first decision", () => {
    marbles(({ hot, expectObservable }) => {
      const source$ = hot("  -1-2 30ms 3----|", nine());
      const expected = "     11ms a 27ms (b|)";
      expectObservable(source$.pipe(bufferAck({ maxWaitMs: 10 }), map(outline))).toBe(expected, { a: "time 1 2", b: "complete 3" });
    });
  });

  it("starts a new wait with each batch", () => {
    marbles(({ hot, expectObservable }) => {
      const source$ = hot("  12---3----------|", nine());
      const expected = "     -a---------b----|";
      expectObservable(source$.pipe(bufferAck({ maxSize: 2, maxWaitMs: 6 }), map(outline))).toBe(expected, { a: "size 1 2", b: "time 3" });
    });
  });

  it("emits each decision by itself with maxSize 1, at once", () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot("1-2-|", nine()).pipe(bufferAck({ maxSize: 1 }), map(outline))).toBe("a-b-|", { a: "size 1", b: "size 2" });
    });
  });

  it("emits what comes in the same moment together with maxWaitMs 0", () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot("(12)-3|", nine()).pipe(bufferAck({ maxWaitMs: 0 }), map(outline))).toBe("a----b|", {
        a: "time 1 2",
        b: "time 3",
      });
    });
  });

  it("keeps the order and takes decisions as they are", () => {
    const [one, two, three] = new TestSource().many(3);
    const items = [settle.retry(three!, { delayMs: 1 }), one!, settle.release(two!)];
    marbles(({ cold, expectObservable }) => {
      const source$ = cold("(abc|)", { a: items[0]!, b: items[1]!, c: items[2]! });
      expectObservable(source$.pipe(bufferAck())).toBe("(x|)", { x: { _tag: "SettlementBatch", items, trigger: "complete" } });
    });
  });

  describe("when the source ends", () => {
    it("flushes before the completion", () => {
      marbles(({ cold, expectObservable }) => {
        expectObservable(cold("-1-2-|", nine()).pipe(bufferAck(), map(outline))).toBe("-----(a|)", { a: "complete 1 2" });
      });
    });

    it("flushes before the error", () => {
      marbles(({ cold, expectObservable }) => {
        expectObservable(cold("-1-2-#", nine()).pipe(bufferAck(), map(outline))).toBe("-----(a#)", { a: "error 1 2" });
      });
    });

    it("sends no empty batch", () => {
      marbles(({ cold, expectObservable }) => {
        expectObservable(EMPTY.pipe(bufferAck())).toBe("|");
        expectObservable(throwError(() => "error").pipe(bufferAck())).toBe("#");
        expectObservable(cold("(12)--|", nine()).pipe(bufferAck({ maxSize: 2 }), map(outline))).toBe("a-----|", { a: "size 1 2" });
        expectObservable(cold("1-----#", nine()).pipe(bufferAck({ maxWaitMs: 2 }), map(outline))).toBe("--a---#", { a: "time 1" });
      });
    });
  });

  it("waits for ever for a source that never emits, without a timer", () => {
    marbles(({ expectObservable }) => expectObservable(NEVER.pipe(bufferAck())).toBe("-"));
    vi.useFakeTimers();
    const recording = record(NEVER.pipe(bufferAck()));
    expect(vi.getTimerCount()).toBe(0);
    recording.stop();
  });

  describe("when its source waits for what it holds", () => {
    /** The source waits for credit from `at` on, for as long as the test goes. */
    const waitsFrom = (at: number, { ledger }: TestSource): void => {
      record(timer(at), () => record(ledger.starving(timer(60))));
    };

    it("flushes what is a quarter of the window at once", () => {
      const source = new TestSource({ window: 8 });
      const [one, two] = source.many(4);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(6, source);
        const source$ = hot("-1-2-------", { 1: one!, 2: two! });
        expectObservable(source$.pipe(bufferAck(), map(outline)), "^ 30ms !").toBe("------a", { a: "starved 1 2" });
      });
    });

    it("flushes what is all that is in flight at once", () => {
      const source = new TestSource({ window: 100 });
      const [one] = source.many(1);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(6, source); // a drain
        expectObservable(hot("-1------", { 1: one! }).pipe(bufferAck(), map(outline)), "^ 30ms !").toBe("------a", { a: "starved 1" });
      });
    });

    it("flushes on arrival as soon as there is enough", () => {
      const source = new TestSource({ window: 12 });
      const all = source.many(12);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(1, source);
        const source$ = hot("1-2-3-----", { 1: all[0]!, 2: all[1]!, 3: all[2]! });
        expectObservable(source$.pipe(bufferAck(), map(outline)), "^ 30ms !").toBe("----a", { a: "starved 1 2 3" });
      });
    });

    it("flushes the last of what is in flight on arrival", () => {
      const source = new TestSource({ window: 12 });
      const all = source.many(2);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(1, source);
        const source$ = hot("--1-2-----", { 1: all[0]!, 2: all[1]! });
        expectObservable(source$.pipe(bufferAck(), map(outline)), "^ 30ms !").toBe("----a", { a: "starved 1 2" });
      });
    });

    it("waits no longer than 5 ms for company", () => {
      const source = new TestSource({ window: 100 });
      const all = source.many(100);
      marbles(({ hot, expectObservable }) => {
        const source$ = hot("-1-2-------", { 1: all[0]!, 2: all[1]! });
        expectObservable(source$.pipe(bufferAck({ maxWaitMs: 50 }), map(outline)), "^ 60ms !").toBe("------a", { a: "starved 1 2" });
      });
    });

    it("does not wait longer than maxWaitMs for company, when that is shorter", () => {
      const source = new TestSource({ window: 100 });
      const [one] = source.many(100);
      marbles(({ hot, expectObservable }) => {
        expectObservable(hot("-1----", { 1: one! }).pipe(bufferAck({ maxWaitMs: 2 }), map(outline)), "^ 60ms !").toBe("---a", {
          a: "time 1",
        });
      });
    });

    it("never waits longer than maxWaitMs since the first decision, however late its source begins to wait", () => {
      const source = new TestSource({ window: 8 });
      const [one] = source.many(4);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(18, source);
        const batches = hot("1-----", { 1: one! }).pipe(
          bufferAck({ maxWaitMs: 20 }),
          map(({ items }) => items.length),
        );
        expectObservable(batches, "^ 60ms !").toBe("20ms a", { a: 1 });
      });
    });

    it("never waits longer than maxWaitMs although its source begins to wait again and again", () => {
      const source = new TestSource({ window: 8 });
      const [one] = source.many(8);
      const input = new Subject<Flow<unknown>>();
      const batches = record(input.pipe(bufferAck({ maxWaitMs: 20 })));
      /** Credit comes back from elsewhere, is spent at once, and the reader waits again. */
      const waitAgain = (): void => void record(source.ledger.starving(EMPTY));
      const waits = Object.fromEntries([4, 8, 12, 16, 20, 24, 28].map((at) => [at, waitAgain]));
      timeline({ 0: () => input.next(one!), ...waits, 50: () => input.complete() });
      expect(batches.times[0]).toBeLessThanOrEqual(20);
    });

    it("hears of it from every source it has seen", () => {
      const orders = new TestSource({ window: 4 });
      const refunds = new TestSource({ stream: "refunds", window: 4 });
      const [one] = orders.many(1);
      const [two] = refunds.many(1, 2);
      marbles(({ hot, expectObservable }) => {
        waitsFrom(5, refunds);
        const batches = hot("12----", { 1: one!, 2: two! }).pipe(bufferAck(), map(outline));
        expectObservable(batches, "^ 60ms !").toBe("-----a", { a: "starved 1 2" });
      });
    });
  });

  describe("when it is unsubscribed early", () => {
    it("drops the batch, the source and its timer", () => {
      const source = new TestSource({ window: 8 });
      const [one] = source.many(1);
      marbles(({ hot, expectObservable, expectSubscriptions }) => {
        const source$ = hot("-1--------|", { 1: one! });
        const unsub = "      ^--!       ";
        expectObservable(source$.pipe(bufferAck({ maxWaitMs: 5 })), unsub).toBe("----");
        expectSubscriptions(source$.subscriptions).toBe("^--!");
      });
    });

    it("leaves neither a timer nor a listener at its source", () => {
      vi.useFakeTimers();
      const { ledger, source, stops } = watched();
      const recording = record(concat(of(source.one("1-0")), NEVER).pipe(bufferAck({ maxWaitMs: 50 })));
      expect(vi.getTimerCount()).toBe(1);
      expect(ledger.unsettled).toBe(1);
      recording.stop();
      expect(vi.getTimerCount()).toBe(0);
      expect(stops).toHaveLength(1);
      expect(stops[0]).toHaveBeenCalledTimes(1);
    });

    it("emits nothing more when it is unsubscribed by what it emits", () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source$ = cold("(12345|)", nine());
        expectObservable(source$.pipe(bufferAck({ maxSize: 2 }), take(1), map(outline))).toBe("(a|)", { a: "size 1 2" });
        expectSubscriptions(source$.subscriptions).toBe("(^!)");
      });
    });
  });

  it("never holds more than maxSize, however fast the source is", () => {
    const deliveries = new TestSource({ window: 100_000 }).many(10_000);
    const { values, ended } = record(from(deliveries).pipe(bufferAck({ maxSize: 500 })));
    expect(values.map(({ items }) => items.length)).toEqual(Array.from({ length: 20 }, () => 500));
    expect(values.flatMap(({ items }) => items)).toEqual(deliveries);
    expect(ended).toBe("complete");
  });

  it("passes the same delivery on as often as it comes: the sink counts the first decision", () => {
    const delivery = new TestSource().one("1-0");
    marbles(({ cold, expectObservable }) => {
      const batches = cold("-1-1-|", { 1: delivery }).pipe(bufferAck(), map(outline));
      expectObservable(batches).toBe("-----(a|)", { a: "complete 1 1" });
    });
  });

  it("errors the pipeline for what is no delivery of a source, instead of the process", () => {
    const copy = Object.assign({ _tag: "Delivery" }, new TestSource().one("1-0")) as unknown as Flow<unknown>;
    const input = new Subject<Flow<unknown>>();
    const recording = record(input.pipe(bufferAck()));
    timeline({ 1: () => input.next(copy), 2: () => input.complete() });
    expect(recording.error).toBeInstanceOf(TypeError);
  });

  it("can be subscribed again: nothing is shared between subscriptions", () => {
    marbles(({ cold, expectObservable }) => {
      const batches = cold("-1-|", nine()).pipe(bufferAck({ maxSize: 2 }), map(outline));
      expectObservable(batches).toBe("---(a|)", { a: "complete 1" });
      expectObservable(batches, "--^").toBe("-----(a|)", { a: "complete 1" });
    });
  });

  it.each([
    [{ maxSize: 0 }, /^Expected `maxSize` to be an integer from 1 to 100000, got `0`/],
    [{ maxSize: 1.5 }, RangeError],
    [{ maxSize: 100_001 }, RangeError],
    [{ maxWaitMs: -1 }, /^Expected `maxWaitMs`/],
    [{ maxWaitMs: NaN }, RangeError],
    [{ maxWaitMs: 2 ** 31 }, RangeError], // Node's timers fire at once for what exceeds 31 bits
  ])("refuses %j when it is called", (options, error) => expect(() => bufferAck(options)).toThrow(error));

  it("takes undefined as the default", () => {
    marbles(({ cold, expectObservable }) => {
      const batches = cold("1 100ms |", nine()).pipe(bufferAck({ maxSize: undefined, maxWaitMs: undefined }), map(outline));
      expectObservable(batches).toBe("20ms a 80ms |", { a: "time 1" });
    });
  });
});

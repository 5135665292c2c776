import {
  delay,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  of,
  pipe,
  Subject,
  take,
  throwError,
  timer,
  type OperatorFunction,
} from "rxjs";
import { describe, expect, it, vi } from "vitest";
import type { CreditLedger } from "../../src/flow/credit-ledger.js";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { heldBy } from "../../src/model/held-delivery.js";
import { fixed } from "../../src/model/retry-policy.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { batch } from "../../src/operators/batch.js";
import { decode } from "../../src/operators/decode.js";
import { dedupe } from "../../src/operators/dedupe.js";
import { filterAck } from "../../src/operators/filter-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { tee } from "../../src/operators/tee.js";
import { stateOf, summary, TestSource } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { marbles, record, timeline } from "../support/virtual-time.js";

type Branch = OperatorFunction<Flow<Fields>, Flow<unknown>>;

const same: Branch = (source) => source;
const after = (ms: number): Branch => delay(ms);
const deciding = (decide: (delivery: Delivery<Fields>) => Flow<unknown>): Branch =>
  map((item) => (item._tag === "Delivery" ? decide(item) : item));
const options = { maxDeliveries: 3, backoff: fixed(50) };

describe("tee", () => {
  it("shows each delivery to every branch and passes it on, as it came, when all are through", () => {
    const [one] = new TestSource().many(1);
    const delivery = one!.map(() => "value");
    const seen: unknown[] = [];
    const look = (name: string): OperatorFunction<Flow<string>, Flow<unknown>> =>
      map((item) => {
        if (item._tag === "Delivery") seen.push([name, item.id, item.value, item.deliveryCount, item.stream, item.pairs]);
        return item;
      });
    marbles(({ hot, expectObservable }) => {
      const result = hot<Flow<string>>("-1-----|", { 1: delivery }).pipe(tee(look("a"), pipe(delay(3), look("b"))));
      expectObservable(result).toBe("----1--|", { 1: delivery });
    });
    expect(seen).toEqual(["a", "b"].map((name) => [name, "1-0", "value", 1, "orders", ["n", "1"]]));
  });

  it("gives each branch a handle of its own: what one does to it the others do not notice", () => {
    const [one] = new TestSource().many(1);
    const handles: Delivery<unknown>[] = [];
    const keep: Branch = pipe(
      map((item) => {
        handles.push(item as Delivery<unknown>);
        return item;
      }),
      ignoreElements(),
    );
    record(of(one!).pipe(tee(keep, keep)));
    heldBy(handles[0]!).abort(new Error("out of time"));
    expect(handles.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(one!.signal.aborted).toBe(false);
  });

  it.each<readonly [string, readonly Branch[], string]>([
    ["all are through", [same, same], '1-0 = {"n":"1"}'],
    ["one filters it", [same, filterAck(() => false)], '1-0 = {"n":"1"}'],
    ["all filter it", [filterAck(() => false), filterAck(() => false)], "1-0 ack filtered"],
    ["one fails", [same, retryToDLQ(() => fail("busy"), options)], "1-0 retry 50 busy"],
    [
      "two fail",
      [deciding((d) => settle.retry(d, { delayMs: 9, cause: "a" })), retryToDLQ(() => fail("busy"), options)],
      "1-0 retry 50 busy",
    ],
    ["one gives up", [retryToDLQ(() => fail("busy"), options), deciding((d) => settle.deadLetter(d, "bad"))], "1-0 dead bad"],
    ["one hands it back", [same, deciding((d) => settle.release(d))], "1-0 release"],
    ["there is one branch alone", [retryToDLQ(() => fail("busy"), options)], "1-0 retry 50 busy"],
  ])("takes one decision when %s", (_, branches, expected) => {
    const recording = record(from(new TestSource().many(1)).pipe(tee(...branches)));
    expect(recording.values.map(summary)).toEqual([expected]);
    expect(recording.ended).toBe("complete");
  });

  it("emits in the order in which the slowest branch is through", () => {
    const slowFirst: Branch = mergeMap((item) => timer(item._tag === "Delivery" && item.id === "1-0" ? 9 : 2).pipe(map(() => item)));
    marbles(({ flush }) => {
      const recording = record(from(new TestSource().many(2)).pipe(tee(after(4), slowFirst)));
      flush();
      expect(recording.values.map(({ _tag }, index) => `${_tag} ${recording.times[index]}`)).toEqual(["Delivery 4", "Delivery 9"]);
    });
  });

  it("passes decisions by the branches", () => {
    const settled: Flow<Fields> = settle.ack(new TestSource().one("1-0"));
    expect(record(of(settled).pipe(tee(deciding(() => fail("seen"))))).values).toEqual([settled]);
  });

  it("counts the first decision of a branch, and takes a delivery that comes twice once", () => {
    const [one] = new TestSource().many(1);
    const twice: Branch = mergeMap((item) => [item, settle.deadLetter(item as Delivery<Fields>, "late")]);
    expect(record(of(one!).pipe(tee(twice, same))).values).toEqual([one]);
    const input = new Subject<Flow<Fields>>();
    const recording = record(input.pipe(tee(after(5), same)));
    timeline({ 0: () => [one!, one!].forEach((each) => input.next(each)), 10: () => input.complete() });
    expect(recording.values).toEqual([one]);
  });

  it("lets the others go on when a branch drops a delivery, which stays unsettled", () => {
    const source = new TestSource();
    const odd: Branch = filter((item) => item._tag === "Delivery" && item.value["n"] !== "2");
    const recording = record(from(source.many(3)).pipe(tee(odd, same)));
    expect(recording.values.map(summary)).toEqual(['1-0 = {"n":"1"}', '3-0 = {"n":"3"}']);
    expect(source.ledger.open("orders").has("2-0" as never)).toBe(true);
  });

  describe("operators in a branch hear of the source", () => {
    it("when it is out of credit: a batch goes at once", () => {
      const source = new TestSource({ window: 3 });
      marbles(({ hot, expectObservable }) => {
        const all = source.many(3);
        const insert = batch<Fields>(() => undefined, { maxSize: 100, maxWaitMs: 1_000 });
        const result = hot<Flow<Fields>>("-(123)---", { 1: all[0]!, 2: all[1]!, 3: all[2]! }).pipe(tee(insert, same));
        expectObservable(result, "^---------!").toBe("-(123)", { 1: all[0]!, 2: all[1]!, 3: all[2]! });
      });
    });

    it("when another consumer has a delivery: handlers of all branches let it go", () => {
      const source = new TestSource();
      const [one, two] = source.many(2);
      const signals: AbortSignal[] = [];
      const hang = retryToDLQ<Fields, never>((_, { signal }) => {
        signals.push(signal);
        return NEVER;
      }, options);
      const input = new Subject<Flow<Fields>>();
      const recording = record(input.pipe(tee(hang, hang, same)));
      timeline({
        0: () => [one!, two!].forEach((each) => input.next(each)),
        5: () => source.lose(one!),
        6: () => expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false, false]),
        7: () => source.ledger.abandon(new Error("over")),
        8: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual(["1-0 release", "2-0 release"]);
      expect(recording.ended).toBe("complete");
    });

    it("when it gives up: batches and handlers end, and the pipeline completes", () => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const recording = record(
        input.pipe(
          tee(
            batch<Fields, never>(() => NEVER, { maxSize: 2 }),
            retryToDLQ(() => NEVER, options),
          ),
        ),
      );
      timeline({
        0: () => source.many(5).forEach((each) => input.next(each)),
        5: () => source.ledger.abandon(new Error("over")),
        6: () => input.complete(),
      });
      expect(recording.values.map(summary)).toEqual([1, 2, 3, 4, 5].map((n) => `${n}-0 release`));
      expect(recording.ended).toBe("complete");
    });

    it("when it gives up: no branch begins with one that waited", () => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const handler = vi.fn(() => NEVER);
      const work: Branch = retryToDLQ(handler, { ...options, concurrency: 1 });
      const recording = record(input.pipe(tee(tee(work), work)));
      for (const delivery of source.many(5)) input.next(delivery);
      source.ledger.abandon(new Error("over"));
      input.complete();
      expect(handler).toHaveBeenCalledTimes(2);
      expect(recording.values.map(summary)).toEqual([1, 2, 3, 4, 5].map((n) => `${n}-0 release`));
      expect(recording.ended).toBe("complete");
    });
  });

  it("can stand in a branch of another", () => {
    marbles(({ flush }) => {
      const source = new TestSource();
      const nested = record(
        from(source.many(2)).pipe(
          tee(
            tee(
              same,
              retryToDLQ(() => fail("busy"), options),
            ),
            tee(after(3), same),
          ),
        ),
      );
      flush();
      expect(nested.values.map(summary)).toEqual(["1-0 retry 50 busy", "2-0 retry 50 busy"]);
    });
  });

  it("keeps claims of dedupe, and keys that later entries wait for, with the delivery, also from a tee in a tee", () => {
    const [one] = new TestSource().many(1);
    const input = new Subject<Flow<Fields>>();
    const once = (key: string): OperatorFunction<Flow<Fields>, Flow<Fields>> =>
      dedupe<Fields>(new FakePort().client, { key: () => key, ttlMs: 1_000 });
    const inOrder = (key: string): Branch => partitionBy<Fields, Flow<unknown>>(() => key, { lanes: 1, whileRetrying: "wait" }, (lane$) => lane$); // prettier-ignore
    const answered = one!.origin as CreditLedger;
    answered.inquiries.subscribe(({ questions, answer }) => answer(questions.map(() => ({ isMarked: false, waitsMs: undefined }))));
    const recording = record(input.pipe(tee(pipe(once("a"), inOrder("x")), tee(once("b"), inOrder("y"), inOrder("x")))));
    timeline({ 0: () => input.next(one!), 50: () => recording.stop() });
    expect(recording.values).toEqual([one]);
    expect(one!.claims?.map((claim) => claim.name)).toEqual(["=a", "=b"]);
    expect([...one!.orderKeys!].sort()).toEqual(["x", "y"]);
  });

  it("lets go what was lost before it came", () => {
    const source = new TestSource();
    const [one] = source.many(1);
    source.lose(one!);
    expect(record(of(one!).pipe(tee(deciding(() => fail("seen"))))).values.map(summary)).toEqual(["1-0 release"]);
  });

  it("changes nothing about the handle before the sink does", () => {
    const recording = record(
      from(new TestSource().many(1)).pipe(
        tee(
          same,
          decode(() => ({ _tag: "Right", right: 1 })),
        ),
      ),
    );
    expect(recording.values.map(stateOf)).toEqual(["open"]);
  });

  it("follows its source in completion, error and silence, and waits for its branches", () => {
    const [one] = new TestSource().many(1);
    marbles(({ hot, expectObservable }) => {
      expectObservable(EMPTY.pipe(tee(same))).toBe("|");
      expectObservable(NEVER.pipe(tee(same))).toBe("-");
      expectObservable(throwError(() => "error").pipe(tee(same))).toBe("#");
      expectObservable(hot<Flow<Fields>>("-1|", { 1: one! }).pipe(tee(same, after(5)))).toBe("------(1|)", { 1: one! });
    });
  });

  it("errors when a branch errors, completes early, or emits what it was not given", () => {
    const deliveries = new TestSource().many(3);
    const failed = (branch: Branch): unknown => record(from(deliveries).pipe(tee(same, branch))).error;
    expect(failed(map(() => fail("bug")))).toEqual(new Error("bug"));
    expect(failed(take(1))).toEqual(new TypeError("Branch 2 of tee completed before its source: it may not use take, first and the like"));
    expect(failed(map(() => deliveries[0]!))).toEqual(new TypeError("Branch 2 of tee emitted a delivery that it was not given"));
  });

  it("unsubscribes branches and source, and listens no longer", () => {
    const source = new TestSource();
    const [one] = source.many(1);
    const stop = vi.fn();
    vi.spyOn(source.ledger, "watch").mockReturnValue(stop);
    const ended = vi.fn();
    const counting: Branch = pipe(after(100), finalize(ended));
    marbles(({ hot, expectObservable, expectSubscriptions, flush }) => {
      const source$ = hot<Flow<Fields>>("-1------", { 1: one! });
      expectObservable(source$.pipe(tee(counting, counting)), "^----!").toBe("-");
      expectSubscriptions(source$.subscriptions).toBe("^----!");
      flush();
    });
    expect(ended).toHaveBeenCalledTimes(2);
    expect(stop).toHaveBeenCalledTimes(1);
    expect(record(from(new TestSource().many(9)).pipe(tee(same, same), take(2))).ended).toBe("complete");
  });

  it("refuses what is no branch when it is called", () => {
    expect(() => tee()).toThrow(/^Expected `branches` to be at least one operator/);
    expect(() => tee(same, 5 as never)).toThrow(/^Expected `branches\[1\]` to be a function/);
  });
});

function fail(message: string): never {
  throw new Error(message);
}

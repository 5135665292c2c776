import {
  concatMap,
  EMPTY,
  from,
  ignoreElements,
  map,
  mergeAll,
  mergeMap,
  NEVER,
  Observable,
  of,
  pipe,
  Subject,
  take,
  tap,
  throwError,
  timer,
  type OperatorFunction,
} from "rxjs";
import { describe, expect, it } from "vitest";
import { laneOf } from "../../src/model/lane.js";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { heldBy } from "../../src/model/held-delivery.js";
import { deliveryOf, settle, type Flow, type Settled } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { summary, TestSource } from "../support/deliveries.js";
import { marbles, record, timeline } from "../support/virtual-time.js";

const byKey = ({ key = "" }: Fields): string => key;
/** Deliveries `1-0`, `2-0` … with these keys. */
const keyed = (source: TestSource, ...keys: readonly string[]): Delivery<Fields>[] =>
  keys.map((key, index) => source.one(`${index + 1}-0`, { key }));
/** Two keys that share lane 0 of two, and one of lane 1. */
const [a, b, other] = ["alice", "customer-7", "bob"];

it("the keys of these tests are where they should be", () => {
  expect([a, b, other].map((key) => laneOf(key, 2))).toEqual([0, 0, 1]);
});

/** A lane that takes 10 ms for each delivery, any number at a time, and writes down when it begins and ends them. */
const slowLane =
  (log: string[]) =>
  (lane$: Observable<Delivery<Fields>>): Observable<Delivery<Fields>> =>
    lane$.pipe(
      tap(({ id }) => log.push(`+${id}`)),
      mergeMap((delivery) => timer(10).pipe(map(() => delivery))),
      tap(({ id }) => log.push(`-${id}`)),
    );

describe("partitionBy", () => {
  describe("in order", () => {
    it("lets one delivery of a key into its lane at a time, whatever the lane does, and other keys beside it", () => {
      const log: string[] = [];
      timeline({
        0: () => record(from(keyed(new TestSource(), a, a, b, other, a)).pipe(partitionBy(byKey, { lanes: 2 }, slowLane(log)))),
      });
      expect(log).toEqual(["+1-0", "+3-0", "+4-0", "-1-0", "+2-0", "-3-0", "-4-0", "-2-0", "+5-0", "-5-0"]);
    });

    it("gives a lane its deliveries as they come with `inOrder: lane`", () => {
      const log: string[] = [];
      const options = { lanes: 2, inOrder: "lane" } as const;
      timeline({ 0: () => record(from(keyed(new TestSource(), a, a, b)).pipe(partitionBy(byKey, options, slowLane(log)))) });
      expect(log).toEqual(["+1-0", "+2-0", "+3-0", "-1-0", "-2-0", "-3-0"]);
    });

    it("hands each lane its keys, and its number", () => {
      const seen: string[][] = [[], []];
      const lane = (lane$: Observable<Delivery<Fields>>, index: number): Observable<Delivery<Fields>> =>
        lane$.pipe(tap(({ value }) => seen[index]!.push(byKey(value))));
      record(from(keyed(new TestSource(), a, b, other)).pipe(partitionBy(byKey, { lanes: 2 }, lane)));
      expect(seen).toEqual([[a, b], [other]]);
    });

    it("keeps a lane that is stuck from nobody else", () => {
      const seen: string[] = [];
      const stuck = (lane$: Observable<Delivery<Fields>>, index: number): Observable<Delivery<Fields>> =>
        lane$.pipe(mergeMap((delivery) => (index === 0 ? NEVER : of(delivery))));
      const source$ = new Subject<Flow<Fields>>();
      record(source$.pipe(partitionBy(byKey, { lanes: 2 }, stuck)), (item) => seen.push(summary(item)));
      for (const delivery of keyed(new TestSource(), a, other, a, other)) source$.next(delivery);
      expect(seen).toHaveLength(2);
    });
  });

  describe("what leaves a lane", () => {
    it("frees its key: a delivery, a decision, or a batch of them", () => {
      const lanes: readonly ((lane$: Observable<Delivery<Fields>>) => Observable<unknown>)[] = [
        (lane$) => lane$.pipe(map((delivery) => delivery.map(() => 1))),
        (lane$) => lane$.pipe(map((delivery) => settle.ack(delivery, "filtered"))),
        (lane$) => lane$.pipe(bufferAck({ maxSize: 1 })),
      ];
      for (const lane of lanes) {
        const recording = record(from(keyed(new TestSource(), a, a, a)).pipe(partitionBy(byKey, { lanes: 2 }, lane)));
        expect(recording).toMatchObject({ ended: "complete" });
        expect(recording.values).toHaveLength(3);
      }
    });

    it("frees its key when it was settled inside of the lane, too", () => {
      const source = new TestSource();
      const entered: string[] = [];
      const settling = (lane$: Observable<Delivery<Fields>>): Observable<never> =>
        lane$.pipe(
          tap(({ id }) => entered.push(id)),
          mergeMap((delivery) => timer(10).pipe(tap(() => source.ledger.confirm([{ held: heldBy(delivery) }])))),
          ignoreElements(),
        );
      timeline({ 0: () => record(from(keyed(source, a, a)).pipe(partitionBy(byKey, { lanes: 2 }, settling))) });
      expect(entered).toEqual(["1-0", "2-0"]);
    });

    it("frees it once: a second outcome of a delivery changes nothing", () => {
      const log: string[] = [];
      const twice = (lane$: Observable<Delivery<Fields>>): Observable<Delivery<Fields>> =>
        slowLane(log)(lane$).pipe(mergeMap((delivery) => [delivery, delivery]));
      timeline({ 0: () => record(from(keyed(new TestSource(), a, a, a)).pipe(partitionBy(byKey, { lanes: 1 }, twice))) });
      expect(log).toEqual(["+1-0", "-1-0", "+2-0", "-2-0", "+3-0", "-3-0"]);
    });
  });

  describe("decisions", () => {
    it("made upstream pass by the lanes", () => {
      const settled = settle.deadLetter(new TestSource().one("1-0"), "unreadable");
      const nothing = (): Observable<never> => NEVER;
      const source$ = new Subject<Flow<Fields>>();
      const recording = record(source$.pipe(partitionBy(byKey, { lanes: 2 }, nothing)));
      source$.next(settled);
      expect(recording.values).toEqual([settled]);
    });

    it.each<readonly [string, (value: Fields) => string, string]>([
      ["throws", () => { throw new Error("no such field"); }, "1-0 dead no such field"], // prettier-ignore
      ["answers no string", () => undefined as unknown as string, "1-0 dead Expected `key` to answer a string, got undefined"],
    ])("a key that %s makes a dead letter", (_, key, expected) => {
      const recording = record(of(new TestSource().one("1-0")).pipe(partitionBy(key, { lanes: 2 }, (lane$) => lane$)));
      expect(recording.values.map(summary)).toEqual([expected]);
      expect(recording.ended).toBe("complete");
    });

    it("gives the key function the value and the delivery", () => {
      const delivery = new TestSource().one("1-0");
      const seen: unknown[] = [];
      const key = (...args: unknown[]): string => String(seen.push(...args));
      record(of(delivery).pipe(partitionBy(key, { lanes: 2 }, (lane$) => lane$)));
      expect(seen).toEqual([delivery.value, delivery]);
    });
  });

  describe("a delivery that is lost", () => {
    it("leaves its key's queue at once, and is let go", () => {
      const source = new TestSource();
      const [first, second, third] = keyed(source, a, a, a);
      const log: string[] = [];
      const seen: string[] = [];
      timeline({
        0: () =>
          record(from([first!, second!, third!]).pipe(partitionBy(byKey, { lanes: 2 }, slowLane(log))), (item) => seen.push(summary(item))),
        5: () => {
          source.lose(heldBy(second!));
          expect(seen).toEqual(["2-0 release"]);
        },
      });
      expect(log).toEqual(["+1-0", "-1-0", "+3-0", "-3-0"]);
    });

    it("lets the next of its key into the lane when it was in there", () => {
      const source = new TestSource();
      const [first, second] = keyed(source, a, a);
      const log: string[] = [];
      timeline({
        0: () => record(from([first!, second!]).pipe(partitionBy(byKey, { lanes: 2 }, slowLane(log)))),
        5: () => source.lose(heldBy(first!)),
      });
      expect(log).toEqual(["+1-0", "+2-0", "-1-0", "-2-0"]);
    });

    it("like all others when the source is abandoned: what waits is let go, and the result completes", () => {
      const source = new TestSource();
      const entered: string[] = [];
      const work = retryToDLQ<Fields, unknown>(({ key }) => new Promise(() => entered.push(key!)), { maxDeliveries: 5 });
      const recording = record(from(keyed(source, a, a, b, b)).pipe(partitionBy(byKey, { lanes: 2 }, (lane$) => lane$.pipe(work))));
      source.ledger.abandon(new Error("over"));
      expect(entered).toEqual([a, b]);
      expect(recording.values.map((item) => summary(item)).sort()).toEqual(["1-0 release", "2-0 release", "3-0 release", "4-0 release"]); // prettier-ignore
      expect(recording.ended).toBe("complete");
    });

    it.each(["pass", "wait"] as const)("and comes when its source is over is let go, and the result completes (%s)", (whileRetrying) => {
      const source = new TestSource();
      const input = new Subject<Flow<Fields>>();
      const work = retryToDLQ<Fields, unknown>(() => 1, { maxDeliveries: 5 });
      const recording = record(input.pipe(partitionBy(byKey, { lanes: 2, whileRetrying }, (lane$) => lane$.pipe(work))));
      const [first, second] = keyed(source, a, a);
      source.ledger.abandon(new Error("over"));
      input.next(first!);
      input.next(second!);
      input.complete();
      expect(recording.values.map((item) => summary(item))).toEqual(["1-0 release", "2-0 release"]);
      expect(recording.ended).toBe("complete");
    });

    it.each(["lost", "open"])("comes out once, like those asked about with it, also when one that is %s ends its source", (state) => {
      const source = new TestSource();
      const asked = record(source.ledger.inquiries);
      const all = keyed(source, a, b, other, "dave");
      const work = retryToDLQ<Fields, unknown>(() => 1, { maxDeliveries: 5 });
      const waits = partitionBy<Fields, Flow<unknown>>(byKey, { lanes: 2, whileRetrying: "wait" }, (lane$) => lane$.pipe(work));
      const endAtThird = (item: Flow<unknown>): unknown => deliveryOf(item).id === "3-0" && source.ledger.abandon(new Error("over"));
      const recording = record(from(all).pipe(waits), endAtThird);
      const answer = (): void => asked.values.shift()!.answer([1, 2, 3].map(() => ({ isMarked: false, waitsMs: undefined })));
      answer(); // to the first; the others were asked about together meanwhile
      if (state === "lost") source.lose(heldBy(all[2]!));
      answer();
      expect(recording.values.map((item) => summary(item).replace(/ =.*/, ""))).toEqual(["1-0", "2-0", state === "lost" ? "3-0 release" : "3-0", "4-0 release"]); // prettier-ignore
      expect(recording.ended).toBe("complete");
    });
  });

  describe("ends", () => {
    it("as its source and its lanes do", () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const [x, y] = keyed(new TestSource(), a, a);
        const values = { x: x!, y: y! };
        const source$ = cold<Flow<Fields>>("-x-y-|", values);
        const slow = (lane$: Observable<Delivery<Fields>>): Observable<Delivery<Fields>> =>
          lane$.pipe(concatMap((delivery) => timer(3).pipe(map(() => delivery))));
        expectObservable(source$.pipe(partitionBy(byKey, { lanes: 3 }, slow))).toBe("----x--(y|)", values);
        expectObservable(source$.pipe(partitionBy(byKey, { lanes: 3 }, slow)), "^----!").toBe("----x", values);
        expectSubscriptions(source$.subscriptions).toBe(["^----!", "^----!"]);
      });
      marbles(({ expectObservable }) => {
        const same = partitionBy<Fields, Delivery<Fields>>(byKey, { lanes: 3 }, (lane$) => lane$);
        expectObservable(EMPTY.pipe(same)).toBe("|");
        expectObservable(NEVER.pipe(same)).toBe("-");
        expectObservable(throwError(() => "error").pipe(same)).toBe("#");
      });
    });

    it("with the error of a lane, and lets go of the source and of the other lanes", () => {
      const source$ = new Subject<Flow<Fields>>();
      let open = 0;
      const lane = (lane$: Observable<Delivery<Fields>>): Observable<Delivery<Fields>> =>
        new Observable((subscriber) => {
          open += 1;
          subscriber.add(() => (open -= 1));
          return lane$.pipe(tap(() => { throw new Error("bug"); })).subscribe(subscriber); // prettier-ignore
        });
      const recording = record(source$.pipe(partitionBy(byKey, { lanes: 3 }, lane)));
      expect(open).toBe(3);
      source$.next(new TestSource().one("1-0"));
      expect(recording.error).toEqual(new Error("bug"));
      expect(open).toBe(0);
      expect(source$.observed).toBe(false);
    });

    it("with an error when a lane has ended before its source: its deliveries would be lost in silence", () => {
      const [first, second] = keyed(new TestSource(), a, a);
      const recording = record(from([first!, second!]).pipe(partitionBy(byKey, { lanes: 2 }, (lane$) => lane$.pipe(take(1)))));
      expect(recording.values).toEqual([first]);
      expect(String(recording.error)).toContain("Nobody listens to lane 0");
    });

    it("before it has begun, when no lane wants anything", () => {
      const source$ = new Subject<Flow<Fields>>();
      expect(record(source$.pipe(partitionBy(byKey, { lanes: 2 }, () => EMPTY))).ended).toBe("complete");
      expect(source$.observed).toBe(false);
    });

    it.each<readonly [string, OperatorFunction<Flow<Fields>, Flow<Fields> | Settled<unknown>>]>([
      ["by key", partitionBy(byKey, { lanes: 2 }, (lane$) => lane$)],
      ["as they come", partitionBy(byKey, { lanes: 2, inOrder: "lane" }, (lane$) => lane$)],
      ["without a pipeline", pipe(partitionBy(byKey, { lanes: 2 }), mergeAll())],
    ])("with the source that an item ends, and not before what that emitted last: %s", (_, lanes) => {
      const [first, ...others] = keyed(new TestSource(), a, a, b, other);
      const source$ = new Subject<Flow<Fields>>();
      const endAtFirst = (item: Flow<unknown>): void => {
        if (item !== first) return;
        for (const each of others) source$.next(each);
        source$.complete();
      };
      const recording = record(source$.pipe(lanes), endAtFirst);
      source$.next(first!);
      expect(recording.values.map((item) => deliveryOf(item).id).sort()).toEqual(["1-0", "2-0", "3-0", "4-0"]);
      expect(recording.ended).toBe("complete");
    });

    it("with an error when `project` throws", () => {
      const project = (): never => {
        throw new Error("bug");
      };
      expect(record(NEVER.pipe(partitionBy(byKey, { lanes: 2 }, project))).error).toEqual(new Error("bug"));
    });

    it("with a TypeError when a lane emits what only looks like a delivery", () => {
      const copy = (delivery: Delivery<Fields>): Delivery<Fields> => ({ ...delivery, _tag: "Delivery" });
      const recording = record(of(new TestSource().one("1-0")).pipe(partitionBy(byKey, { lanes: 2 }, map(copy))));
      expect(recording.error).toBeInstanceOf(TypeError);
    });
  });

  describe("under load", () => {
    it("20 000 of one key behind a handler that answers at once leave the stack flat", () => {
      const source = new TestSource({ window: 100_001 });
      const gate$ = new Subject<void>();
      let handled = 0;
      const lane = (lane$: Observable<Delivery<Fields>>): Observable<Delivery<Fields>> =>
        lane$.pipe(mergeMap((delivery) => ((handled += 1) === 1 ? gate$.pipe(map(() => delivery), take(1)) : of(delivery)))); // prettier-ignore
      const recording = record(from(source.many(20_000)).pipe(partitionBy(() => "hot", { lanes: 8 }, lane)));
      expect(handled).toBe(1);
      gate$.next();
      expect(handled).toBe(20_000);
      expect(recording.ended).toBe("complete");
      expect(recording.values.map((delivery) => (delivery as Delivery<Fields>).id)).toEqual(
        source.many(20_000).map(({ id }) => id), // the ids again, in their order
      );
    });

    it("is re-entered by a source that emits when something is emitted", () => {
      const source = new TestSource();
      const source$ = new Subject<Flow<Fields>>();
      const seen: string[] = [];
      source$.pipe(partitionBy(byKey, { lanes: 2 }, (lane$) => lane$.pipe(retryToDLQ(() => 1, { maxDeliveries: 5 })))).subscribe((item) => {
        seen.push(summary(item));
        if (seen.length < 20) source$.next(source.one(`${seen.length}-1`, { key: seen.length % 2 === 0 ? a : other }));
      });
      source$.next(source.one("0-1", { key: a }));
      expect(seen).toHaveLength(20);
    });
  });

  describe("without a project", () => {
    it("emits all lanes before the first item, and each gets its keys in order of arrival", () => {
      const events: string[] = [];
      const source$ = new Observable<Flow<Fields>>((subscriber) => {
        events.push("source");
        for (const delivery of keyed(new TestSource(), a, other, a)) subscriber.next(delivery);
        subscriber.complete();
      });
      const lanes$ = source$.pipe(
        partitionBy(byKey, { lanes: 2 }),
        mergeMap((lane$, index) => {
          events.push(`lane ${index}`);
          return lane$.pipe(tap((item) => events.push(`${index}: ${summary(item)}`)));
        }),
      );
      expect(record(lanes$).ended).toBe("complete");
      expect(events).toEqual([
        "lane 0",
        "lane 1",
        "source",
        `0: 1-0 = {"key":"${a}"}`,
        `1: 2-0 = {"key":"${other}"}`,
        `0: 3-0 = {"key":"${a}"}`,
      ]);
    });

    it("puts what has no key into lane 0, so that nothing is dropped", () => {
      const settled = settle.ack(new TestSource().one("1-0"), "filtered");
      const lanes$ = of<Flow<Fields>[]>(settled, new TestSource().one("2-0")).pipe(
        partitionBy<Fields>(() => { throw new Error("no key"); }, { lanes: 2 }), // prettier-ignore
        mergeMap((lane$, index) => lane$.pipe(map((item) => `${index}: ${summary(item)}`))),
      );
      expect(record(lanes$).values).toEqual(["0: 1-0 ack filtered", "0: 2-0 dead no key"]);
    });

    it("errors, in every lane and outside, when the source does or when nobody listens to a lane", () => {
      expect(record(throwError(() => "broken").pipe(partitionBy(byKey, { lanes: 2 }), mergeAll())).error).toBe("broken");
      const unheard = record(of(new TestSource().one("1-0", { key: other })).pipe(partitionBy(byKey, { lanes: 2 }), mergeAll(1)));
      expect(String(unheard.error)).toContain("Nobody listens to lane 1");
    });
  });

  it.each<readonly [string, () => unknown, string]>([
    ["no key function", () => partitionBy(undefined as never, { lanes: 2 }), "`key` to be a function"],
    ["no lanes", () => partitionBy(byKey, { lanes: 0 }), "`lanes` to be an integer from 1 to 65536, got `0`"],
    ["half a lane", () => partitionBy(byKey, { lanes: 1.5 }), "`lanes`"],
    ["another order", () => partitionBy(byKey, { lanes: 1, inOrder: "none" as never }, (lane$) => lane$), "`inOrder` to be one of"],
    [
      "lanes of its own order that wait",
      () => partitionBy(byKey, { lanes: 1, inOrder: "lane", whileRetrying: "wait" }, (lane$) => lane$),
      '`inOrder` to be "key"',
    ],
    ["to wait without a project", () => partitionBy(byKey, { lanes: 1, whileRetrying: "wait" } as { lanes: number }), "a `project`"],
    ["a project that is none", () => partitionBy(byKey, { lanes: 1 }, 7 as never), "`project` to be a function"],
  ])("refuses %s at call time", (_, call, message) => expect(call).toThrow(message));
});

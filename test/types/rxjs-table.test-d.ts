import { NEVER, of, timer, type Observable } from "rxjs";
import * as rx from "rxjs/operators";
import { acknowledge, type Delivery, type Fields, type RedisClient } from "rxjs-redis-streams";
import { describe, it } from "vitest";

declare const redis: RedisClient;
declare const orders$: Observable<Delivery<Fields>>;
declare const nested$: Observable<Observable<Delivery<Fields>>>;

describe("what docs/operators-and-rxjs.md marks with †", () => {
  // prettier-ignore
  it("does not compile in front of a sink", () => {
    const sink = acknowledge(redis);
    // @ts-expect-error buffer
    orders$.pipe(rx.buffer(timer(0, 10)), sink);
    // @ts-expect-error bufferCount
    orders$.pipe(rx.bufferCount(2), sink);
    // @ts-expect-error bufferTime
    orders$.pipe(rx.bufferTime(10), sink);
    // @ts-expect-error bufferToggle
    orders$.pipe(rx.bufferToggle(timer(0, 20), () => timer(10)), sink);
    // @ts-expect-error bufferWhen
    orders$.pipe(rx.bufferWhen(() => timer(10)), sink);
    // @ts-expect-error combineAll
    nested$.pipe(rx.combineAll(), sink);
    // @ts-expect-error combineLatest
    orders$.pipe(rx.combineLatest(of(1)), sink);
    // @ts-expect-error combineLatestAll
    nested$.pipe(rx.combineLatestAll(), sink);
    // @ts-expect-error combineLatestWith
    orders$.pipe(rx.combineLatestWith(of(1)), sink);
    // @ts-expect-error count
    orders$.pipe(rx.count(), sink);
    // @ts-expect-error dematerialize
    orders$.pipe(rx.dematerialize(), sink);
    // @ts-expect-error every
    orders$.pipe(rx.every(() => true), sink);
    // @ts-expect-error findIndex
    orders$.pipe(rx.findIndex((delivery) => delivery.id === "2-0"), sink);
    // @ts-expect-error groupBy
    orders$.pipe(rx.groupBy((delivery) => delivery.id === "2-0"), sink);
    // @ts-expect-error isEmpty
    orders$.pipe(rx.isEmpty(), sink);
    // @ts-expect-error materialize
    orders$.pipe(rx.materialize(), sink);
    // @ts-expect-error pairwise
    orders$.pipe(rx.pairwise(), sink);
    // @ts-expect-error partition
    sink(rx.partition(() => true)(orders$));
    // @ts-expect-error pluck
    orders$.pipe(rx.pluck("value"), sink);
    // @ts-expect-error sequenceEqual
    orders$.pipe(rx.sequenceEqual<Delivery<Fields>>(NEVER), sink);
    // @ts-expect-error timeInterval
    orders$.pipe(rx.timeInterval(), sink);
    // @ts-expect-error timestamp
    orders$.pipe(rx.timestamp(), sink);
    // @ts-expect-error toArray
    orders$.pipe(rx.toArray(), sink);
    // @ts-expect-error window
    orders$.pipe(rx.window(timer(0, 10)), sink);
    // @ts-expect-error windowCount
    orders$.pipe(rx.windowCount(2), sink);
    // @ts-expect-error windowTime
    orders$.pipe(rx.windowTime(10), sink);
    // @ts-expect-error windowToggle
    orders$.pipe(rx.windowToggle(timer(0, 20), () => timer(10)), sink);
    // @ts-expect-error windowWhen
    orders$.pipe(rx.windowWhen(() => timer(10)), sink);
    // @ts-expect-error withLatestFrom
    orders$.pipe(rx.withLatestFrom(of(1)), sink);
    // @ts-expect-error zip
    orders$.pipe(rx.zip(of(1)), sink);
    // @ts-expect-error zipAll
    nested$.pipe(rx.zipAll(), sink);
    // @ts-expect-error zipWith
    orders$.pipe(rx.zipWith(of(1)), sink);
  });
});

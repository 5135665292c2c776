/* eslint-disable @typescript-eslint/no-deprecated, rxjs-x/no-unnecessary-collection, rxjs-x/prefer-root-operators, @typescript-eslint/no-unsafe-argument -- every operator there is, old ones as well */
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
    // @ts-expect-error buffer: no delivery
    void orders$.pipe(rx.buffer(timer(0, 10)), sink);
    // @ts-expect-error bufferCount: no delivery
    void orders$.pipe(rx.bufferCount(2), sink);
    // @ts-expect-error bufferTime: no delivery
    void orders$.pipe(rx.bufferTime(10), sink);
    // @ts-expect-error bufferToggle: no delivery
    void orders$.pipe(rx.bufferToggle(timer(0, 20), () => timer(10)), sink);
    // @ts-expect-error bufferWhen: no delivery
    void orders$.pipe(rx.bufferWhen(() => timer(10)), sink);
    // @ts-expect-error combineAll: no delivery
    void nested$.pipe(rx.combineAll(), sink);
    // @ts-expect-error combineLatest: no delivery
    void orders$.pipe(rx.combineLatest(of(1)), sink);
    // @ts-expect-error combineLatestAll: no delivery
    void nested$.pipe(rx.combineLatestAll(), sink);
    // @ts-expect-error combineLatestWith: no delivery
    void orders$.pipe(rx.combineLatestWith(of(1)), sink);
    // @ts-expect-error count: no delivery
    void orders$.pipe(rx.count(), sink);
    // @ts-expect-error dematerialize: no delivery
    void orders$.pipe(rx.dematerialize(), sink);
    // @ts-expect-error every: no delivery
    void orders$.pipe(rx.every(() => true), sink);
    // @ts-expect-error findIndex: no delivery
    void orders$.pipe(rx.findIndex((delivery) => delivery.id === "2-0"), sink);
    // @ts-expect-error groupBy: no delivery
    void orders$.pipe(rx.groupBy((delivery) => delivery.id === "2-0"), sink);
    // @ts-expect-error isEmpty: no delivery
    void orders$.pipe(rx.isEmpty(), sink);
    // @ts-expect-error materialize: no delivery
    void orders$.pipe(rx.materialize(), sink);
    // @ts-expect-error pairwise: no delivery
    void orders$.pipe(rx.pairwise(), sink);
    // @ts-expect-error partition: no delivery
    void sink(rx.partition(() => true)(orders$));
    // @ts-expect-error pluck: no delivery
    void orders$.pipe(rx.pluck("value"), sink);
    // @ts-expect-error sequenceEqual: no delivery
    void orders$.pipe(rx.sequenceEqual<Delivery<Fields>>(NEVER), sink);
    // @ts-expect-error timeInterval: no delivery
    void orders$.pipe(rx.timeInterval(), sink);
    // @ts-expect-error timestamp: no delivery
    void orders$.pipe(rx.timestamp(), sink);
    // @ts-expect-error toArray: no delivery
    void orders$.pipe(rx.toArray(), sink);
    // @ts-expect-error window: no delivery
    void orders$.pipe(rx.window(timer(0, 10)), sink);
    // @ts-expect-error windowCount: no delivery
    void orders$.pipe(rx.windowCount(2), sink);
    // @ts-expect-error windowTime: no delivery
    void orders$.pipe(rx.windowTime(10), sink);
    // @ts-expect-error windowToggle: no delivery
    void orders$.pipe(rx.windowToggle(timer(0, 20), () => timer(10)), sink);
    // @ts-expect-error windowWhen: no delivery
    void orders$.pipe(rx.windowWhen(() => timer(10)), sink);
    // @ts-expect-error withLatestFrom: no delivery
    void orders$.pipe(rx.withLatestFrom(of(1)), sink);
    // @ts-expect-error zip: no delivery
    void orders$.pipe(rx.zip(of(1)), sink);
    // @ts-expect-error zipAll: no delivery
    void nested$.pipe(rx.zipAll(), sink);
    // @ts-expect-error zipWith: no delivery
    void orders$.pipe(rx.zipWith(of(1)), sink);
  });
});

import { of, type Observable } from "rxjs";
import {
  appendAll,
  appendTo,
  fromDeadLetters,
  redrive,
  trim,
  type DeadLetter,
  type EntryId,
  type RedisClient,
  type Redriven,
} from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";

declare const redis: RedisClient;
interface Order {
  readonly orderId: string;
  readonly amount: number;
}
declare const orders: Observable<Order>;

describe("appendTo", () => {
  it("knows the value in its callbacks, and gives ids", () => {
    const ids = orders.pipe(appendTo(redis, { stream: "orders", idempotencyKey: ({ orderId }) => orderId }));
    expectTypeOf(ids).toEqualTypeOf<Observable<EntryId>>();
    void orders.pipe(appendTo(redis, { stream: ({ amount }) => (amount > 9 ? "large" : "small"), fields: ({ orderId }) => ({ orderId }) }));
  });

  it("wants to be told what becomes of a value that is no record of fields", () => {
    // @ts-expect-error -- a Date is no field
    void of({ at: new Date() }).pipe(appendTo(redis, { stream: "orders" }));
    void of({ at: new Date() }).pipe(appendTo(redis, { stream: "orders", fields: ({ at }) => ({ at: at.getTime() }) }));
    // @ts-expect-error -- one of both
    void orders.pipe(appendTo(redis, { stream: "orders", maxLen: 1, minId: "1" }));
  });
});

describe("appendAll", () => {
  it("takes iterables of either kind", () => {
    expectTypeOf(appendAll(redis, [{ n: 1 }], { stream: "orders" })).toEqualTypeOf<Observable<EntryId>>();
    const later = (async function* () {
      yield await Promise.resolve(1);
    })();
    expectTypeOf(appendAll(redis, later, { stream: "orders", fields: (n) => ({ n }) })).toEqualTypeOf<Observable<EntryId>>();
  });
});

describe("redrive", () => {
  it("gives back the letters it was given", () => {
    const became = fromDeadLetters(redis, { stream: "orders", group: "shipping" }).pipe(redrive(redis));
    expectTypeOf(became).toEqualTypeOf<Observable<Redriven<DeadLetter>>>();
  });
});

describe("trim", () => {
  it("wants one of two", () => {
    // @ts-expect-error -- neither length nor id
    void trim(redis, { stream: "orders" });
  });
});

import type { Either } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Observable } from "rxjs";
import { batch, decode, filterAck, type Delivery, type Fields, type Flow } from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

declare const orders$: Observable<Delivery<Fields>>;
declare const insert: (orders: readonly { amount: number }[]) => Promise<void>;

const Order = z.object({ orderId: z.string(), amount: z.coerce.number() });

describe("batch", () => {
  it("gives the handler what the operators before have made", () => {
    const result$ = orders$.pipe(
      decode(Order),
      batch((orders, deliveries, signal) => {
        expectTypeOf(orders).toEqualTypeOf<readonly { orderId: string; amount: number }[]>();
        expectTypeOf(deliveries).toEqualTypeOf<readonly Delivery<{ orderId: string; amount: number }>[]>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return orders.map(({ amount }) => amount);
      }),
    );
    expectTypeOf(result$).toEqualTypeOf<Observable<Flow<number>>>();
  });

  it("knows the value of whatever the handler answers", () => {
    const decoded$ = orders$.pipe(decode(Order));
    expectTypeOf(decoded$.pipe(batch((orders) => Promise.resolve(orders.map(() => "id"))))).toEqualTypeOf<Observable<Flow<string>>>();
    expectTypeOf(decoded$.pipe(batch((orders) => orders.map(() => Promise.resolve("id"))))).toEqualTypeOf<Observable<Flow<string>>>();
    expectTypeOf(
      decoded$.pipe(batch((orders): Either<Error, string>[] => orders.map(() => ({ _tag: "Right", right: "id" })))),
    ).toEqualTypeOf<Observable<Flow<string>>>();
    expectTypeOf(decoded$.pipe(batch((): TaskEither<Error, string[]> => () => Promise.reject(new Error())))).toEqualTypeOf<
      Observable<Flow<string>>
    >();
  });

  it("takes a handler that answers nothing", () => {
    void orders$.pipe(decode(Order), batch(insert, { maxSize: 10, maxWaitMs: 5 }));
  });
});

describe("filterAck", () => {
  it("keeps the type, or narrows it with a type guard", () => {
    expectTypeOf(orders$.pipe(filterAck(({ test }) => test !== "1"))).toEqualTypeOf<Observable<Flow<Fields>>>();
    const isPaid = (order: { amount: number | undefined }): order is { amount: number } => order.amount !== undefined;
    const typed$ = {} as Observable<Flow<{ amount: number | undefined }>>;
    expectTypeOf(typed$.pipe(filterAck(isPaid))).toEqualTypeOf<Observable<Flow<{ amount: number }>>>();
  });

  it("takes no predicate that has to be waited for", () => {
    // @ts-expect-error a promise is always true
    void orders$.pipe(filterAck(() => Promise.resolve(true)));
  });
});

import { pipe, type Observable } from "rxjs";
import {
  acknowledge,
  bufferAck,
  decode,
  filterAck,
  retryToDLQ,
  tee,
  type Delivery,
  type Fields,
  type Flow,
  type RedisClient,
} from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

declare const redis: RedisClient;
declare const orders$: Observable<Delivery<Fields>>;

const Order = z.object({ orderId: z.string(), amount: z.coerce.number() });

describe("tee", () => {
  it("gives each branch the value, and passes it on", () => {
    const result$ = orders$.pipe(
      decode(Order),
      tee(
        retryToDLQ(({ amount }) => amount, { maxDeliveries: 5 }),
        pipe(
          filterAck(({ amount }) => amount > 1),
          retryToDLQ(({ orderId }) => orderId, { maxDeliveries: 5 }),
        ),
      ),
    );
    expectTypeOf(result$).toEqualTypeOf<Observable<Flow<{ orderId: string; amount: number }>>>();
  });

  it("takes no branch with a sink or a batch for one", () => {
    // @ts-expect-error a receipt is no flow
    void orders$.pipe(tee(acknowledge(redis)));
    // @ts-expect-error a batch is no flow
    void orders$.pipe(tee(bufferAck()));
  });
});

import type { Either } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { bufferCount, concatMap, delayWhen, filter, map, mergeMap, of, tap, timer, type Observable } from "rxjs";
import {
  acknowledge,
  bufferAck,
  dedupe,
  handOff,
  type HandOffReceipt,
  type OutputRecord,
  decode,
  fromClaims,
  fromDeadLetters,
  fromGroup,
  json,
  partitionBy,
  retryToDLQ,
  settle,
  type BinaryFields,
  type DeadLetter,
  type Delivery,
  type Fields,
  type Flow,
  type FromGroupOptions,
  type Receipt,
  type RedisClient,
  type Settled,
  type SettlementBatch,
} from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

declare const redis: RedisClient;
declare const orders$: Observable<Delivery<Fields>>;

const Order = z.object({ orderId: z.string(), amount: z.coerce.number() });
interface Shipment {
  readonly trackingId: string;
}
declare function ship(orderId: string): Promise<Shipment>;

describe("a pipeline", () => {
  it("is inferred from source to receipt without an annotation", () => {
    const receipts$ = fromGroup(redis, { stream: "orders", group: "shipping", startId: "0" }).pipe(
      decode(Order),
      retryToDLQ(
        (order, delivery) => {
          expectTypeOf(order).toEqualTypeOf<{ orderId: string; amount: number }>();
          expectTypeOf(delivery).toEqualTypeOf<Delivery<{ orderId: string; amount: number }>>();
          expectTypeOf(delivery.signal).toEqualTypeOf<AbortSignal>();
          return ship(order.orderId);
        },
        { maxDeliveries: 5 },
      ),
      bufferAck({ maxSize: 500, maxWaitMs: 20 }),
      acknowledge(redis),
    );
    expectTypeOf(receipts$).toEqualTypeOf<Observable<Receipt>>();
  });

  it("is inferred through lanes", () => {
    const shipped$ = orders$.pipe(
      decode(Order),
      partitionBy(
        (order) => {
          expectTypeOf(order).toEqualTypeOf<{ orderId: string; amount: number }>();
          return order.orderId;
        },
        { lanes: 32 },
        (lane$) => lane$.pipe(retryToDLQ((order) => ship(order.orderId), { maxDeliveries: 5, concurrency: 1 })),
      ),
    );
    expectTypeOf(shipped$).toEqualTypeOf<Observable<Flow<Shipment>>>();
    const receipts$ = shipped$.pipe(bufferAck(), acknowledge(redis));
    expectTypeOf(receipts$).toEqualTypeOf<Observable<Receipt>>();
    const lanes$ = orders$.pipe(partitionBy((fields) => fields["customer"] ?? "", { lanes: 4 }));
    expectTypeOf(lanes$).toEqualTypeOf<Observable<Observable<Flow<Fields>>>>();
    const merged$ = lanes$.pipe(mergeMap((lane$) => lane$.pipe(decode(Order))));
    expectTypeOf(merged$).toEqualTypeOf<Observable<Flow<{ orderId: string; amount: number }>>>();
    // @ts-expect-error a key is a string: a number would be hashed as what?
    void orders$.pipe(partitionBy(() => 7, { lanes: 4 }));
  });

  it("hands each operator what the one before has made", () => {
    const shipped$ = orders$.pipe(
      decode(Order),
      retryToDLQ(({ orderId }) => ship(orderId), { maxDeliveries: 5 }),
      retryToDLQ(
        (shipment) => {
          expectTypeOf(shipment).toEqualTypeOf<Shipment>();
          return shipment.trackingId;
        },
        { maxDeliveries: 5 },
      ),
    );
    expectTypeOf(shipped$).toEqualTypeOf<Observable<Flow<string>>>();
  });

  it("starts with bytes where asked to", () => {
    const source = { stream: "a", group: "g", payload: "buffer" } as const;
    expectTypeOf(fromGroup(redis, { ...source, startId: "0" })).toEqualTypeOf<Observable<Delivery<BinaryFields>>>();
    expectTypeOf(fromClaims(redis, { ...source, minIdleMs: 100, everyMs: 10 })).toEqualTypeOf<Observable<Delivery<BinaryFields>>>();
    expectTypeOf(fromDeadLetters(redis, source)).toEqualTypeOf<Observable<DeadLetter<BinaryFields>>>();
    void fromGroup(redis, { ...source, startId: "0" }).pipe(
      retryToDLQ(({ image }, { bytes }) => {
        expectTypeOf(image).toEqualTypeOf<Buffer | undefined>();
        expectTypeOf(bytes).toEqualTypeOf<readonly Buffer[]>();
      }, { maxDeliveries: 5 }),
      acknowledge(redis),
    ); // prettier-ignore
    expectTypeOf(fromGroup(redis, { ...source, startId: "0" }).pipe(decode(json("payload", Order)))).toEqualTypeOf<Observable<Flow<{ orderId: string; amount: number }>>>(); // prettier-ignore
    const either = "buffer" as "buffer" | undefined;
    // @ts-expect-error text or bytes must be known
    void fromGroup(redis, { ...source, startId: "0", payload: either });
    // @ts-expect-error there is no such payload
    void fromGroup(redis, { ...source, startId: "0", payload: "base64" });
  });

  it("starts with fields", () => {
    expectTypeOf(fromGroup(redis, { stream: ["a", "b"], group: "g", startId: "$" })).toEqualTypeOf<Observable<Delivery<Fields>>>();
    expectTypeOf(fromDeadLetters(redis, { stream: "a", group: "g" })).toEqualTypeOf<Observable<DeadLetter>>();
    const source = { stream: "a", group: "g", startId: "0" } as const;
    expectTypeOf(fromGroup(redis, { ...source, payload: "string" })).toEqualTypeOf<Observable<Delivery<Fields>>>();
    expectTypeOf(fromGroup(redis, { ...source, payload: undefined })).toEqualTypeOf<Observable<Delivery<Fields>>>();
    const plain: FromGroupOptions = source;
    expectTypeOf(fromGroup(redis, plain)).toEqualTypeOf<Observable<Delivery<Fields>>>();
    void orders$.pipe(
      retryToDLQ(
        (fields) => {
          expectTypeOf(fields).toEqualTypeOf<Fields>();
          expectTypeOf(fields["a"]).toEqualTypeOf<string | undefined>();
        },
        { maxDeliveries: 5 },
      ),
    );
  });

  it("may end without a buffer, or without anything before the sink", () => {
    expectTypeOf(orders$.pipe(acknowledge(redis))).toEqualTypeOf<Observable<Receipt>>();
    expectTypeOf(orders$.pipe(bufferAck())).toEqualTypeOf<Observable<SettlementBatch<Fields>>>();
    expectTypeOf(orders$.pipe(bufferAck(), acknowledge(redis, { mode: "ackAndDelete" }))).toEqualTypeOf<Observable<Receipt>>();
  });
});

describe("handOff", () => {
  it("knows the value, from single deliveries and from batches, behind dedupe", () => {
    const deduped$ = orders$.pipe(decode(Order), dedupe(redis, { key: (order) => order.orderId, ttlMs: 1_000 }));
    const fields = (order: { orderId: string; amount: number }): OutputRecord => ({ order: order.orderId });
    expectTypeOf(deduped$.pipe(handOff(redis, { to: "out", fields }))).toEqualTypeOf<Observable<HandOffReceipt>>();
    const receipts$ = deduped$.pipe(
      bufferAck(),
      handOff(redis, {
        to: "out",
        fields: (order) => {
          expectTypeOf(order).toEqualTypeOf<{ orderId: string; amount: number }>();
          return [{ order: order.orderId }, { amount: order.amount }];
        },
        effects: (order) => [{ _tag: "HashIncrement", key: "totals", field: order.orderId, by: 1 }],
      }),
    );
    expectTypeOf(receipts$).toEqualTypeOf<Observable<HandOffReceipt>>();
    // @ts-expect-error a field has to have a value
    void deduped$.pipe(handOff(redis, { to: "out", fields: () => ({ order: undefined }) }));
    // @ts-expect-error the union of effects is closed
    void deduped$.pipe(handOff(redis, { effects: () => [{ _tag: "ListPush", key: "list" }] }));
    // @ts-expect-error another value than there is
    void deduped$.pipe(bufferAck(), handOff(redis, { to: "out", fields: (order: { total: number }) => ({ total: order.total }) }));
  });
});

describe("what can't be acknowledged", () => {
  it("does not compile: a bare value, whose credit would never come back", () => {
    const values$ = orders$.pipe(map((delivery) => delivery.value));
    // @ts-expect-error a bare value has no delivery
    void values$.pipe(acknowledge(redis));
    // @ts-expect-error nor can it wait for company
    void values$.pipe(bufferAck());
    // @ts-expect-error also in one pipe
    void orders$.pipe(map((delivery) => delivery.value), acknowledge(redis)); // prettier-ignore
  });

  it("does not compile: an array, which is no batch, and a dead letter, which is not in flight", () => {
    const arrays$ = orders$.pipe(bufferCount(10));
    // @ts-expect-error batches come from bufferAck
    void arrays$.pipe(acknowledge(redis));
    // @ts-expect-error dead letters are only looked at
    void fromDeadLetters(redis, { stream: "orders", group: "shipping" }).pipe(acknowledge(redis));
  });
});

describe("a mistake", () => {
  it("does not compile: a handler for another value than there is", () => {
    const decoded$ = orders$.pipe(decode(Order));
    // @ts-expect-error amount is a number
    void decoded$.pipe(retryToDLQ((order: { amount: string }) => order.amount, { maxDeliveries: 5 }));
  });

  it("does not compile: an option that is required", () => {
    // @ts-expect-error maxDeliveries has no default that suits everybody
    void orders$.pipe(retryToDLQ(() => 1, {}));
    // @ts-expect-error startId has none either: each would surprise somebody
    void fromGroup(redis, { stream: "orders", group: "shipping" });
  });
});

describe("plain RxJS operators", () => {
  it("that emit the deliveries they received keep the types", () => {
    const same$ = orders$.pipe(
      tap((delivery) => expectTypeOf(delivery).toEqualTypeOf<Delivery<Fields>>()),
      delayWhen(({ deliveryCount }) => timer(deliveryCount)),
      mergeMap(async (delivery) => {
        await ship(delivery.id);
        return delivery;
      }),
      concatMap((delivery) => of(delivery)),
    );
    expectTypeOf(same$).toEqualTypeOf<Observable<Delivery<Fields>>>();
    expectTypeOf(same$.pipe(acknowledge(redis))).toEqualTypeOf<Observable<Receipt>>();
  });

  it("may decide as well", () => {
    const decided$ = orders$.pipe(map((delivery) => (delivery.value["test"] === "1" ? settle.ack(delivery, "filtered") : delivery)));
    expectTypeOf(decided$).toEqualTypeOf<Observable<Delivery<Fields> | Settled<Fields>>>();
    expectTypeOf(decided$.pipe(acknowledge(redis))).toEqualTypeOf<Observable<Receipt>>();
  });

  it("may decide in the middle of a pipeline: the next operator still knows the value", () => {
    const decided$ = orders$.pipe(
      map((delivery): Flow<Fields> => (delivery.deliveryCount > 3 ? settle.deadLetter(delivery, "poison") : delivery)),
      decode(Order),
      retryToDLQ((order) => order.amount, { maxDeliveries: 5 }),
    );
    expectTypeOf(decided$).toEqualTypeOf<Observable<Flow<number>>>();
    const unannotated$ = orders$.pipe(
      map((delivery) => (delivery.deliveryCount > 3 ? settle.deadLetter(delivery, "poison") : delivery)),
      retryToDLQ((fields) => fields["a"], { maxDeliveries: 5 }),
    );
    expectTypeOf(unannotated$).toEqualTypeOf<Observable<Flow<string | undefined>>>();
  });

  it("may narrow a flow to what is open", () => {
    const open$ = orders$.pipe(
      decode(Order),
      filter((item) => item._tag === "Delivery"),
    );
    expectTypeOf(open$).toEqualTypeOf<Observable<Delivery<{ orderId: string; amount: number }>>>();
  });

  it("may change the value with map of the delivery", () => {
    expectTypeOf(orders$.pipe(map((delivery) => delivery.map(Object.keys)))).toEqualTypeOf<Observable<Delivery<string[]>>>();
  });
});

describe("decode", () => {
  it("takes the output of a schema, not its input", () => {
    expectTypeOf(orders$.pipe(decode(z.object({ at: z.coerce.date() })))).toEqualTypeOf<Observable<Flow<{ at: Date }>>>();
  });

  it("takes a function that answers an Either", () => {
    const codec = (fields: Fields): Either<string, { readonly n: number }> => ({ _tag: "Right", right: { n: Number(fields["n"]) } });
    expectTypeOf(orders$.pipe(decode(codec))).toEqualTypeOf<Observable<Flow<{ readonly n: number }>>>();
  });

  it("knows the argument of a function that is written in place", () => {
    const decoded$ = orders$.pipe(
      decode((fields): Either<Error, number> => {
        expectTypeOf(fields).toEqualTypeOf<Fields>();
        return { _tag: "Right", right: Number(fields["n"]) };
      }),
    );
    expectTypeOf(decoded$).toEqualTypeOf<Observable<Flow<number>>>();
  });

  it("takes json with and without a schema", () => {
    expectTypeOf(orders$.pipe(decode(json("payload", Order)))).toEqualTypeOf<Observable<Flow<{ orderId: string; amount: number }>>>();
    expectTypeOf(orders$.pipe(decode(json("payload")))).toEqualTypeOf<Observable<Flow<unknown>>>();
  });

  it("reads again what was read before", () => {
    const twice$ = orders$.pipe(
      decode(json("payload")),
      decode((payload: unknown): Either<Error, string> => ({ _tag: "Right", right: String(payload) })),
    );
    expectTypeOf(twice$).toEqualTypeOf<Observable<Flow<string>>>();
  });
});

describe("what a handler gives back", () => {
  const run = <B>(handler: (value: Fields) => B): B => handler({});

  it("is unwrapped", () => {
    const options = { maxDeliveries: 5 };
    expectTypeOf(orders$.pipe(retryToDLQ(() => 5, options))).toEqualTypeOf<Observable<Flow<number>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => ({ a: 1 }), options))).toEqualTypeOf<Observable<Flow<{ a: number }>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => undefined, options))).toEqualTypeOf<Observable<Flow<undefined>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => run(() => ship("1")), options))).toEqualTypeOf<Observable<Flow<Shipment>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(async () => (await ship("1")).trackingId, options))).toEqualTypeOf<Observable<Flow<string>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => of(1, 2), options))).toEqualTypeOf<Observable<Flow<number>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => run((): TaskEither<Error, Shipment> => () => Promise.resolve({ _tag: "Right", right: { trackingId: "1" } })), options))).toEqualTypeOf<Observable<Flow<Shipment>>>(); // prettier-ignore
    expectTypeOf(orders$.pipe(retryToDLQ((): Either<Error, Shipment> => ({ _tag: "Right", right: { trackingId: "1" } }), options))).toEqualTypeOf<Observable<Flow<Shipment>>>(); // prettier-ignore
    expectTypeOf(orders$.pipe(retryToDLQ((): Promise<Either<Error, Shipment>> => Promise.resolve({ _tag: "Right", right: { trackingId: "1" } }), options))).toEqualTypeOf<Observable<Flow<Shipment>>>(); // prettier-ignore
    expectTypeOf(orders$.pipe(retryToDLQ(async function* () { yield await ship("1"); }, options))).toEqualTypeOf<Observable<Flow<Shipment>>>(); // prettier-ignore
  });

  it("may be nothing: a handler is often called for what it does", () => {
    const nothing = (): void => undefined;
    const later = (): Promise<void> => Promise.resolve();
    expectTypeOf(orders$.pipe(retryToDLQ(nothing, { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<void>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(later, { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<void>>>();
  });

  it("is a string as a whole, as it is at run time", () => {
    expectTypeOf(orders$.pipe(retryToDLQ((): string => "done", { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<string>>>();
  });

  it("is an array, a map or a set as a whole, as it is at run time", () => {
    expectTypeOf(orders$.pipe(retryToDLQ(() => [1, 2], { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<number[]>>>();
    expectTypeOf(orders$.pipe(retryToDLQ(() => new Map([["a", 1]]), { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<Map<string, number>>>>(); // prettier-ignore
    expectTypeOf(orders$.pipe(retryToDLQ(() => new Set(["a"]), { maxDeliveries: 5 }))).toEqualTypeOf<Observable<Flow<Set<string>>>>();
  });
});

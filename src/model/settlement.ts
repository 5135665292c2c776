import type { Delivery } from "./delivery.js";

/** Why a delivery is acknowledged: its handler is through, it is a repeat, or a predicate dropped it. @public */
export type AckReason = "processed" | "duplicate" | "filtered";

/**
 * The decision that ends a delivery. A closed union of data: operators make it, sinks carry it out.
 * - `Ack`: done, never delivered to this group again.
 * - `Retry`: stays pending and is delivered again in `delayMs`, to whoever is alive then.
 * - `DeadLetter`: moved to the group's dead-letter stream with its cause.
 * - `Release`: handed back, at once or in `delayMs`, its delivery count unchanged.
 *
 * Without a group an `Ack` writes nothing, and what is to be delivered again waits in its source.
 * @public
 */
export type Settlement =
  | { readonly _tag: "Ack"; readonly reason: AckReason }
  | { readonly _tag: "Retry"; readonly delayMs: number; readonly cause: unknown }
  | { readonly _tag: "DeadLetter"; readonly cause: unknown }
  | { readonly _tag: "Release"; readonly delayMs?: number };

/** A delivery with the decision about it. @public */
export interface Settled<A> {
  readonly _tag: "Settled";
  readonly delivery: Delivery<A>;
  readonly settlement: Settlement;
}

/** What flows between source and sink: deliveries still open, and decisions on their way to be carried out. @public */
export type Flow<A> = Delivery<A> | Settled<unknown>;

/** Why `bufferAck` let a batch go. @public */
export type FlushTrigger = "size" | "time" | "starved" | "complete" | "error";

/** A batch of decisions for a sink, made by `bufferAck`. @public */
export interface SettlementBatch<A = unknown> {
  readonly _tag: "SettlementBatch";
  readonly items: readonly Flow<A>[];
  readonly trigger: FlushTrigger;
}

const processed: Settlement = { _tag: "Ack", reason: "processed" };
const release: Settlement = { _tag: "Release" };

const settled = <A>(delivery: Delivery<A>, settlement: Settlement): Settled<A> => ({ _tag: "Settled", delivery, settlement });

/**
 * Makes decisions in user code; a sink carries them out. A delivery that reaches the sink without one is acknowledged.
 * @example
 * ```ts
 * fromGroup(redis, { stream: "orders", group: "audit", startId: "0" }).pipe(
 *   map((order) => (order.value["test"] === "1" ? settle.ack(order, "filtered") : order)),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export const settle: {
  /** Done: acknowledge it. `reason` decides under which name the receipt counts it. */
  readonly ack: <A>(delivery: Delivery<A>, reason?: AckReason) => Settled<A>;
  /** Deliver it again after `delayMs` (0 or more); it waits in Redis and costs no credit. */
  readonly retry: <A>(delivery: Delivery<A>, options: { readonly delayMs: number; readonly cause?: unknown }) => Settled<A>;
  /** Move it to the dead-letter stream, with `cause` as its reason. */
  readonly deadLetter: <A>(delivery: Delivery<A>, cause: unknown) => Settled<A>;
  /** Hand it back, as if it had never been delivered: at once, or so that it is delivered again after `delayMs`. */
  readonly release: <A>(delivery: Delivery<A>, options?: { readonly delayMs?: number }) => Settled<A>;
} = {
  ack: (delivery, reason = "processed") => settled(delivery, reason === "processed" ? processed : { _tag: "Ack", reason }),
  retry: (delivery, { delayMs, cause }) => settled(delivery, { _tag: "Retry", delayMs: retryDelay(delayMs), cause }),
  deadLetter: (delivery, cause) => settled(delivery, { _tag: "DeadLetter", cause }),
  release: (delivery, { delayMs } = {}) =>
    settled(delivery, delayMs === undefined ? release : { _tag: "Release", delayMs: retryDelay(delayMs) }),
};

/** The decision an item of a flow stands for: reaching the sink open means done. @internal */
export const settlementOf = (item: Flow<unknown>): Settlement => (item._tag === "Settled" ? item.settlement : processed);

/** @internal */
export const deliveryOf = (item: Flow<unknown>): Delivery<unknown> => (item._tag === "Settled" ? item.delivery : item);

function retryDelay(delayMs: number): number {
  if (Number.isFinite(delayMs) && delayMs >= 0 && delayMs <= Number.MAX_SAFE_INTEGER) return Math.round(delayMs); // beyond, a number has no digits to be written with
  throw new RangeError(`Expected \`delayMs\` to be a number from 0 to ${Number.MAX_SAFE_INTEGER}, got \`${String(delayMs)}\``);
}

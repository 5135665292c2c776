import type { EntryId } from "./entry-id.js";

/**
 * An entry that was handed to this consumer and is not settled yet.
 *
 * It carries the credit of its source: pass it on, turn it into another with {@link Delivery.map}, or decide about it
 * with `settle`; a delivery that is dropped on the way is reported as stalled and its credit is missing until then.
 * @typeParam A - what has been made of the entry so far; `Fields`, or `BinaryFields`, as it comes from a source
 * @public
 */
export interface Delivery<A> {
  readonly _tag: "Delivery";
  /** The stream's key. */
  readonly stream: string;
  readonly id: EntryId;
  /** Undefined when it was read without a group. */
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  /** How often Redis has delivered the entry in this group, or this subscription without one, this time included; 1 the first time. */
  readonly deliveryCount: number;
  readonly value: A;
  /** The raw fields as name, value, name, value … in stream order, repeats kept. Text: what is no UTF-8 is lost in it. */
  readonly pairs: readonly string[];
  /**
   * The same as bytes: exactly those of the stream with `payload: "buffer"`, else the text encoded again. Either way what did not
   * come from Redis in this form is made when first read.
   */
  readonly bytes: readonly Buffer[];
  /** Aborted when another consumer got the lease, when the handler's time is up, or when the drain deadline passes. Made when first read. */
  readonly signal: AbortSignal;
  /** The same delivery with another value. */
  map<B>(f: (value: A) => B): Delivery<B>;
}

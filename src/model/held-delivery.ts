import type { Claim } from "./claim.js";
import type { Delivery } from "./delivery.js";
import type { EntryId } from "./entry-id.js";
import { toFields, type BinaryFields, type Fields } from "./fields.js";
import type { Origin } from "./origin.js";
import { isText, sizeOf, toBytes, toText, type RawPairs } from "./raw-pairs.js";

/**
 * Where a delivery stands: `open` nobody has decided; `settling` a sink is carrying the decision out; `lost` it is no longer
 * this consumer's to settle; `settled` over, and its credit is back.
 * @internal
 */
export type DeliveryState = "open" | "settling" | "lost" | "settled";

/** Of a delivery, by the operator's notes that find it again. @internal */
export interface Note {
  readonly by: object;
}

/**
 * The one thing made per entry: what the source knows of it. `map` makes a {@link MappedDelivery} that points here. Text or
 * bytes, it has one shape, and holds of its content only what came, until something else is asked for.
 * @internal
 */
export class HeldDelivery<A> implements Delivery<A> {
  readonly id: EntryId;
  readonly deliveryCount: number;
  /** Names and values as they came. */
  readonly raw: RawPairs;
  state: DeliveryState = "open";
  /** Its place among what its source has in flight. */
  isListed = false;
  older: HeldDelivery<unknown> | undefined;
  newer: HeldDelivery<unknown> | undefined;
  /** In development: where the delivery is. Not there otherwise, so that it costs nothing. */
  declare seen?: string | (() => string | undefined);
  /** Keys of dedupe that this entry has claimed; they are done, or given back, with its settlement. */
  claims: readonly Claim[] | undefined;
  /** Keys of partitionBy whose later entries wait for this one, should it come again. */
  orderKeys: string[] | undefined;
  /** What an operator has to know of it. */
  note: Note | undefined;
  readonly #lease: Lease;
  #fields: Fields | BinaryFields | undefined;
  /** Of text the bytes, of bytes the text. */
  #otherwise: RawPairs | undefined;
  #abort: AbortController | undefined;

  constructor(lease: Lease, id: EntryId, raw: RawPairs, deliveryCount: number) {
    this.#lease = lease;
    this.id = id;
    this.raw = raw;
    this.deliveryCount = deliveryCount;
  }

  get stream(): string {
    return this.#lease.stream;
  }
  get group(): string | undefined {
    return this.#lease.group;
  }
  get consumer(): string | undefined {
    return this.#lease.consumer;
  }
  get origin(): Origin {
    return this.#lease.origin;
  }
  /** It may have failed before, and Redis may know when: that goes with its ack. */
  get isAgain(): boolean {
    return this.#lease.isAgain ?? false;
  }
  /** Milliseconds on the local monotonic clock; for telling how long it has been in flight. */
  get since(): number {
    return this.#lease.since;
  }
  get pairs(): readonly string[] {
    return isText(this.raw) ? this.raw : ((this.#otherwise ??= toText(this.raw)) as readonly string[]);
  }
  get bytes(): readonly Buffer[] {
    return isText(this.raw) ? ((this.#otherwise ??= toBytes(this.raw)) as readonly Buffer[]) : this.raw;
  }
  /** What it takes of `maxInFlightBytes`. */
  get size(): number {
    return sizeOf(this.raw);
  }

  get _tag(): "Delivery" {
    return "Delivery";
  }

  /** Built when first read: acknowledging an entry unread costs no record. */
  get value(): A {
    return (this.#fields ??= toFields(this.raw)) as A;
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  abort(reason: unknown): void {
    (this.#abort ??= new AbortController()).abort(reason);
  }

  claim(claim: Claim): void {
    this.claims = this.claims === undefined ? Array.of(claim) : this.claims.concat(claim); // a push makes room for seventeen, [claim] is old at once
  }

  keepOrder(key: string): void {
    if (this.orderKeys?.includes(key) !== true) (this.orderKeys ??= []).push(key);
  }

  map<B>(f: (value: A) => B): Delivery<B> {
    return new MappedDelivery(this, f(this.value));
  }
}

/** What all entries of one page have in common. @internal */
export interface Lease {
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly origin: Origin;
  readonly since: number;
  /** Some of them were delivered before, or redriven. @defaultValue false */
  readonly isAgain?: boolean | undefined;
}

/** A held delivery with another value. @internal */
export class MappedDelivery<A> implements Delivery<A> {
  readonly held: HeldDelivery<unknown>;
  readonly value: A;

  constructor(held: HeldDelivery<unknown>, value: A) {
    this.held = held;
    this.value = value;
  }

  get _tag(): "Delivery" {
    return "Delivery";
  }
  get stream(): string {
    return this.held.stream;
  }
  get id(): EntryId {
    return this.held.id;
  }
  get group(): string | undefined {
    return this.held.group;
  }
  get consumer(): string | undefined {
    return this.held.consumer;
  }
  get deliveryCount(): number {
    return this.held.deliveryCount;
  }
  get pairs(): readonly string[] {
    return this.held.pairs;
  }
  get bytes(): readonly Buffer[] {
    return this.held.bytes;
  }
  get signal(): AbortSignal {
    return this.held.signal;
  }

  map<B>(f: (value: A) => B): Delivery<B> {
    return new MappedDelivery(this.held, f(this.value));
  }
}

/**
 * The source's own record behind a delivery.
 * @throws TypeError for an object that only looks like a delivery: nobody could return its credit
 * @internal
 */
export function heldBy(delivery: Delivery<unknown>): HeldDelivery<unknown> {
  if (delivery instanceof MappedDelivery) return delivery.held;
  if (delivery instanceof HeldDelivery) return delivery as HeldDelivery<unknown>;
  throw new TypeError(
    "Expected a delivery that a source of rxjs-redis-streams handed out; use `delivery.map(f)` to change its value, not a copy",
  );
}

import type { Delivery } from "./delivery.js";
import type { EntryId } from "./entry-id.js";
import { toFields, type Fields } from "./fields.js";
import type { Origin } from "./origin.js";

/**
 * Where a delivery stands: `open` nobody has decided; `settling` a sink is carrying the decision out; `lost` it is no longer
 * this consumer's to settle; `settled` over, and its credit is back.
 * @internal
 */
export type DeliveryState = "open" | "settling" | "lost" | "settled";

/** The one thing made per entry: what the source knows of it. `map` makes a {@link MappedDelivery} that points here. @internal */
export class HeldDelivery<A> implements Delivery<A> {
  readonly stream: string;
  readonly id: EntryId;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly deliveryCount: number;
  readonly pairs: readonly string[];
  readonly origin: Origin;
  /** Milliseconds on the local monotonic clock; for telling how long it has been in flight. */
  readonly since: number;
  state: DeliveryState = "open";
  #fields: Fields | undefined;
  #abort: AbortController | undefined;

  constructor(lease: Lease, id: EntryId, pairs: readonly string[], deliveryCount: number) {
    this.stream = lease.stream;
    this.group = lease.group;
    this.consumer = lease.consumer;
    this.origin = lease.origin;
    this.since = lease.since;
    this.id = id;
    this.pairs = pairs;
    this.deliveryCount = deliveryCount;
  }

  get _tag(): "Delivery" {
    return "Delivery";
  }

  /** Built when first read: acknowledging an entry unread costs no record. */
  get value(): A {
    return (this.#fields ??= toFields(this.pairs)) as A;
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  abort(reason: unknown): void {
    (this.#abort ??= new AbortController()).abort(reason);
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

import { asyncScheduler, defer, finalize, Subject, tap, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import { HeldDelivery, type Lease } from "../model/held-delivery.js";
import { redrivenFor } from "../model/redriven.js";
import type { OrderAnswer, OrderQuestion, OrderStep } from "../model/order.js";
import type { Confirmation, Origin, OriginWatcher } from "../model/origin.js";
import type { RawPairs } from "../model/raw-pairs.js";
import { ByteAccount } from "./byte-account.js";
import { InFlight } from "./in-flight.js";
import { Watchers } from "./watchers.js";

/** An entry as it is admitted: the third element is its delivery count, 1 when it is missing. @internal */
export type Admitted = readonly [id: EntryId, pairs: RawPairs | null, deliveryCount?: number];

/** @internal */
export interface RetryNotice {
  readonly stream: string;
  readonly inMs: number;
}

/** @internal */
export interface Strangers {
  readonly stream: string;
  readonly ids: readonly EntryId[];
}

/** @internal */
export interface OrderInquiry {
  readonly stream: string;
  readonly questions: readonly OrderQuestion[];
  readonly answer: (answers: readonly OrderAnswer[]) => void;
}

/** @internal */
export interface OrderForward {
  readonly stream: string;
  readonly steps: readonly OrderStep[];
}

/**
 * What a source has handed out and not got back. Its size is what bounds memory: a read asks for `free` entries and not one
 * more, and a credit returns when the sink's write is confirmed, not when the handler is through.
 * @internal
 */
export class CreditLedger extends InFlight implements Origin {
  readonly window: number;
  claimIdleMs: number | undefined;
  /** Undefined: bytes are not counted. */
  readonly bytes: ByteAccount | undefined;
  /** Emits when credit came back: once per batch, and when a read used less than was set aside for it. */
  readonly returned: Observable<void>;
  /** Emits when a delivery was settled as a retry. */
  readonly retries: Observable<RetryNotice>;
  /** Emits why a sink has to repeat a write. */
  readonly hindrances: Observable<unknown>;
  /** Emits entries that were added again for another group: nobody here is to see them, and they are to be acknowledged. */
  readonly strangers: Observable<Strangers>;
  /** Emits what an operator wants to know about the order of the group. */
  readonly inquiries: Observable<OrderInquiry>;
  /** Emits what an operator has done for that order. */
  readonly forwards: Observable<OrderForward>;
  readonly #watchers = new Watchers();
  readonly #returned = new Subject<void>();
  readonly #retries = new Subject<RetryNotice>();
  readonly #hindrances = new Subject<unknown>();
  #settledAt: number | undefined;
  #newestSettled = -Infinity;
  readonly #strangers = new Subject<Strangers>();
  readonly #inquiries = new Subject<OrderInquiry>();
  readonly #forwards = new Subject<OrderForward>();
  #reserved = 0;
  #starving = 0;
  #over = false;

  constructor(window: number, maxBytes?: number) {
    super();
    this.window = window;
    this.bytes = maxBytes === undefined ? undefined : new ByteAccount(maxBytes);
    this.returned = this.#returned.asObservable();
    this.retries = this.#retries.asObservable();
    this.hindrances = this.#hindrances.asObservable();
    this.strangers = this.#strangers.asObservable();
    this.inquiries = this.#inquiries.asObservable();
    this.forwards = this.#forwards.asObservable();
  }

  get free(): number {
    return Math.min(this.window - this.taken - this.#reserved, this.bytes?.free ?? Infinity);
  }
  /** Places of the window that are taken. */
  protected get taken(): number {
    return this.held.size;
  }
  /** What one of several readers may ask for, which has `share` of the window. */
  freeFor(share: number): number {
    return Math.min(this.free, share, this.bytes?.share ?? Infinity);
  }
  get starved(): boolean {
    return this.#starving > 0 || this.taken >= this.window || (this.bytes?.isSpent ?? false);
  }
  get over(): boolean {
    return this.#over;
  }

  /** When Redis last confirmed a settlement. */
  get settledAt(): number | undefined {
    return this.#settledAt;
  }
  /** How much later than the oldest something was admitted that is settled already, ms. */
  get overtakenMs(): number {
    return this.oldest === undefined ? 0 : Math.max(0, this.#newestSettled - this.oldest.since);
  }

  /** Sets credit aside, so that nobody else counts on it, until what comes back is called. */
  reserve(count: number): () => void {
    let kept = count;
    this.#reserved += count;
    const releaseBytes = this.bytes?.reserve(count);
    return () => {
      const given = kept;
      kept = 0; // first: who hears of it may call this again
      this.#reserved -= given;
      releaseBytes?.();
      if (given > 0) this.#returned.next();
    };
  }

  /**
   * Sets credit aside while a read is under way, so that nobody else counts on it. What `work` admits takes its place before
   * it is given back.
   */
  reserving<A>(count: number, work: Observable<A>): Observable<A> {
    return defer(() => {
      const release = this.reserve(count);
      return work.pipe(tap({ next: release, error: release, complete: release, unsubscribe: release }));
    });
  }

  /** Takes a page in flight. `repeats` are ids that may come although they are open here: they are not handed out twice. */
  admit(lease: Omit<Lease, "origin" | "since">, entries: readonly Admitted[], repeats?: ReadonlySet<EntryId>): HeldDelivery<unknown>[] {
    const { stream, group, consumer, isAgain } = lease;
    const full: Lease = { stream, group, consumer, origin: this, since: asyncScheduler.now(), isAgain }; // a spread took 8 us, a fifth of a read
    const page: HeldDelivery<unknown>[] = [];
    const strangers: EntryId[] = [];
    // by index, because this is where every entry goes through: taken apart as a list, each takes an iterator until V8 has compiled it away
    for (let index = 0; index < entries.length; index += 1) {
      const entry = entries[index]!;
      const id = entry[0];
      const pairs = entry[1];
      if (pairs === null || repeats?.has(id)) continue;
      const only = redrivenFor(pairs);
      if (only !== undefined && only !== group) {
        strangers.push(id);
        continue;
      }
      const held =
        only === undefined
          ? new HeldDelivery<unknown>(full, id, pairs, entry[2] ?? 1)
          : new HeldDelivery<unknown>({ ...full, isAgain: true }, id, pairs.slice(2), entry[2] ?? 1);
      this.held.add(held);
      page.push(held);
    }
    if (strangers.length > 0) this.#strangers.next({ stream, ids: strangers });
    this.bytes?.charge(page);
    return page;
  }

  /** While a reader waits for credit, or a drain for its end, nothing may hold back what it waits for. */
  starving<A>(wait: Observable<A>): Observable<A> {
    return defer(() => {
      this.#starving += 1;
      this.#watchers.tell((watcher) => watcher.starved?.());
      return wait.pipe(finalize(() => (this.#starving -= 1)));
    });
  }

  confirm(confirmations: readonly Confirmation[]): void {
    let isByRedis = false;
    for (const { held, retryInMs } of confirmations) {
      isByRedis ||= held.state !== "settled"; // what was lost is settled already, and nobody asked Redis
      this.#newestSettled = Math.max(this.#newestSettled, held.since);
      held.state = "settled";
      if (!this.held.delete(held)) continue;
      this.bytes?.refund(held);
      if (retryInMs !== undefined) this.dueIn(held.stream, retryInMs);
    }
    if (isByRedis) this.#settledAt = asyncScheduler.now();
    this.#watchers.tell((watcher) => watcher.settled?.(confirmations));
    this.#returned.next();
  }

  /** Other consumers have these now: work on them is to stop, and they are not to be acknowledged. Returns those that were open. */
  lose(stream: string, ids: readonly EntryId[], reason: Error): EntryId[] {
    const gone = new Set(ids);
    const lost = [...this.held].filter((held) => held.stream === stream && held.state === "open" && gone.has(held.id));
    this.#loseAll(lost, reason);
    return lost.map((held) => held.id);
  }

  /** The source is over: whatever is open is not its own any more. */
  abandon(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#loseAll(
      [...this.held].filter((held) => held.state === "open"),
      reason,
    );
    this.#watchers.tell((watcher) => watcher.abandoned?.());
  }

  askEarlier(stream: string, questions: readonly OrderQuestion[], answer: (answers: readonly OrderAnswer[]) => void): void {
    this.#inquiries.next({ stream, questions, answer });
  }

  forward(stream: string, steps: readonly OrderStep[]): void {
    this.#forwards.next({ stream, steps });
  }

  /** Entries of a stream will be due in so many ms. */
  dueIn(stream: string, inMs: number): void {
    this.#retries.next({ stream, inMs });
  }

  hindered(by: unknown): void {
    this.#hindrances.next(by);
  }

  watch(watcher: OriginWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  /** All are marked before anybody hears of one: who makes room for the next must not begin with one that is lost as well. */
  #loseAll(lost: readonly HeldDelivery<unknown>[], reason: Error): void {
    for (const held of lost) held.state = "lost";
    for (const held of lost) {
      held.abort(reason);
      this.#watchers.tell((watcher) => watcher.lost?.(held));
    }
  }
}

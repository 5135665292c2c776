import { asyncScheduler, Subject, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { HeldDelivery } from "../model/held-delivery.js";
import type { Confirmation } from "../model/origin.js";
import type { Page } from "./chore.js";
import { CreditLedger, type Admitted } from "./credit-ledger.js";

/** How long a delivery rests that was handed back, ms: it comes to the same pipeline again. */
const releasedForMs = 100;

/** What is to be delivered again, and when. */
interface Kept {
  readonly at: number;
  readonly held: HeldDelivery<unknown>;
  readonly deliveryCount: number;
}

/**
 * The ledger of a source without a group. Redis has no list of what is to be delivered again, so it is kept here until it is due,
 * and keeps its place in the window.
 * @internal
 */
export class KeepingLedger extends CreditLedger {
  /** Emits when something is due earlier than was known. */
  readonly rescheduled: Observable<void>;
  readonly #rescheduled = new Subject<void>();
  /** The first one due last, so that taking it is cheap. */
  readonly #kept: Kept[] = [];
  #deadline = Infinity;

  constructor(window: number, maxBytes?: number) {
    super(window, maxBytes);
    this.rescheduled = this.#rescheduled.asObservable();
  }

  protected override get taken(): number {
    return super.taken + this.#kept.length;
  }
  /** What is in flight, and what comes again before the deadline of a drain. */
  override get unsettled(): number {
    const tooLate = this.#kept.findIndex(({ at }) => at <= this.#deadline);
    return super.unsettled + (tooLate < 0 ? 0 : this.#kept.length - tooLate);
  }
  /** When something is due next, by the local clock; Infinity when nothing is. */
  get nextAt(): number {
    return this.#kept.at(-1)?.at ?? Infinity;
  }
  /** Everything that was given and is not settled, in no order. */
  outstanding(stream: string): EntryId[] {
    return [...this.inFlight(stream), ...this.#kept.map(({ held }) => held.id)];
  }

  override confirm(confirmations: readonly Confirmation[]): void {
    const next = this.nextAt;
    if (!this.over) for (const each of confirmations) if (each.held.state !== "settled") this.#keepIfUndone(each);
    super.confirm(confirmations);
    if (this.nextAt < next) this.#rescheduled.next();
  }

  /** What is due is in flight again; all of it is of one stream. */
  takeDue(): Page {
    const now = asyncScheduler.now();
    const due: Admitted[] = [];
    let stream = "";
    while (this.nextAt <= now) {
      const { held, deliveryCount } = this.#kept.pop()!;
      this.bytes?.refund(held); // charged again when it is admitted
      due.push([held.id, held.raw, deliveryCount]);
      ({ stream } = held);
    }
    return this.admit({ stream, group: undefined, consumer: undefined }, due);
  }

  /** Nobody waits any more for what is due after this. */
  closeAt(deadline: number): void {
    this.#deadline = deadline;
    this.confirm([]); // who waits for the last settlement looks again
  }

  #keepIfUndone({ held, retryInMs, released }: Confirmation): void {
    const now = asyncScheduler.now();
    if (released) this.#keep({ at: now + (retryInMs ?? releasedForMs), held, deliveryCount: held.deliveryCount });
    else if (retryInMs !== undefined) this.#keep({ at: now + retryInMs, held, deliveryCount: held.deliveryCount + 1 });
  }

  #keep(kept: Kept): void {
    this.bytes?.keep(kept.held);
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle]!.at > kept.at) low = middle + 1;
      else high = middle;
    }
    this.#kept.splice(low, 0, kept);
  }
}

import { AsyncSubject, asyncScheduler, from, type Observable, type Subscription } from "rxjs";
import type { ReadPlan } from "../model/read-plan.js";
import type { StreamPage, StreamReader } from "../redis/port.js";
import type { CreditLedger } from "./credit-ledger.js";

/** A read that was sent. Its credit is set aside, and its answer kept, until its turn comes. @internal */
export interface SentRead {
  readonly plan: ReadPlan;
  readonly sentAt: number;
  readonly answer: Observable<readonly StreamPage[]>;
  /** Gives the credit back that is not used by then. */
  readonly release: () => void;
}

/** What a read is sent with. @internal */
export interface ReadOrder {
  readonly plan: ReadPlan;
  readonly group: string;
  readonly consumer: string;
  readonly claimIdleMs: number | undefined;
}

/** The reads that are under way on one connection; it answers them in the order in which they were sent. @internal */
export class ReadAhead {
  readonly #reader: StreamReader;
  readonly #ledger: CreditLedger;
  readonly #sent: SentRead[] = [];
  readonly #answers = new Set<Subscription>();

  constructor(reader: StreamReader, ledger: CreditLedger) {
    this.#reader = reader;
    this.#ledger = ledger;
  }

  get size(): number {
    return this.#sent.length;
  }
  /** Whether the server claims in a read, as far as is known. */
  get claims(): boolean {
    return this.#reader.claims;
  }

  send({ plan, group, consumer, claimIdleMs }: ReadOrder): void {
    const release = this.#ledger.reserve(plan.count * plan.streams.length);
    const answer = new AsyncSubject<readonly StreamPage[]>();
    const { streams, count, blockMs } = plan;
    this.#sent.push({ plan, sentAt: asyncScheduler.now(), answer, release });
    const subscription = from(this.#reader.read({ group, consumer, streams, count, blockMs, claimIdleMs })).subscribe(answer);
    this.#answers.add(subscription);
    subscription.add(() => this.#answers.delete(subscription));
  }

  /** The read that answers next. */
  next(): SentRead | undefined {
    return this.#sent.shift();
  }

  /** Nobody waits for what is under way: who drops it looks through the own pending entries, or hands them back. */
  drop(): void {
    for (const subscription of [...this.#answers]) subscription.unsubscribe();
    for (const { release } of this.#sent.splice(0)) release();
  }
}

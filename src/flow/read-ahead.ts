import { asyncScheduler, type Subscription } from "rxjs";
import type { ReadPlan } from "../model/read-plan.js";
import type { StreamReader } from "../redis/port.js";
import type { CreditLedger } from "./credit-ledger.js";
import { hear } from "./handler-result.js";
import { SentRead } from "./sent-read.js";

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
    const { streams, count, blockMs } = plan;
    const sent = new SentRead(plan, asyncScheduler.now(), this.#ledger.reserve(count * streams.length));
    this.#sent.push(sent);
    const answer = this.#reader.read({ group, consumer, streams, count, blockMs, claimIdleMs });
    const subscription = hear(answer, sent.brought, sent.failed);
    if (subscription === undefined) return;
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
    for (const sent of this.#sent.splice(0)) sent.forget();
  }
}

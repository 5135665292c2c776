import { Subscription, timer } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy } from "../model/held-delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import { allResults, disownAll, isLate, resultsOf } from "./batch-results.js";
import { causeOf, hear, started, toAwaited, toOutcome, unwrap } from "./handler-result.js";

/** How to handle many deliveries at once, and what to make of failures. @internal */
export interface BatchPlan<A, B> {
  readonly handle: (values: readonly A[], deliveries: readonly Delivery<A>[], signal: AbortSignal) => unknown;
  readonly fail: (delivery: Delivery<A>, error: unknown) => Flow<B>;
  /** Whether the halves of a batch that failed so are worth a call each. */
  readonly bisect: (error: unknown) => boolean;
  readonly timeoutMs: number | undefined;
  readonly timeout: () => Error;
}

/** Hears what becomes of a batch. @internal */
export interface BatchListener<B> {
  readonly next: (outcome: Flow<B>) => void;
  readonly complete: () => void;
}

/** A call under way. The places of deliveries that were let go meanwhile are empty. */
interface Call<A> {
  readonly part: (Delivery<A> | undefined)[];
  readonly abort: AbortController;
  stop: Subscription;
}

/**
 * One batch on its way through the handler: in one call, and in halves, one after the other, for as long as a part of it fails.
 * Outcomes come in order, those of a part as soon as it is through.
 * @internal
 */
export class BatchRun<A, B> {
  readonly #plan: BatchPlan<A, B>;
  readonly #listener: BatchListener<B>;
  /** What is to be handled, the next part last. */
  readonly #parts: (readonly Delivery<A>[])[];
  #call: Call<A> | undefined;
  #isGoing = false;
  #isStopped = false;

  constructor(plan: BatchPlan<A, B>, deliveries: readonly Delivery<A>[], listener: BatchListener<B>) {
    this.#plan = plan;
    this.#parts = [deliveries];
    this.#listener = listener;
  }

  /** Calls until there is something to wait for, or nothing is left: a loop, so that answers at once leave the stack flat. */
  go(): void {
    if (this.#isGoing) return;
    this.#isGoing = true;
    while (this.#call === undefined && this.#parts.length > 0 && !this.#isStopped) this.#start(this.#parts.pop()!);
    this.#isGoing = false;
    if (this.#call === undefined && !this.#isStopped) this.#listener.complete();
  }

  /** Gives back what is no longer this consumer's, without waiting for the handler. */
  letGo(): void {
    const call = this.#call;
    if (call === undefined) return;
    call.part.forEach((delivery, index) => {
      if (delivery === undefined || heldBy(delivery).state === "open") return;
      call.part[index] = undefined; // first: who hears of it may come here again
      this.#listener.next(settle.release(delivery));
    });
    if (this.#call !== call || call.part.some((delivery) => delivery !== undefined)) return;
    this.#end(call);
    call.abort.abort(new Error("Another consumer has every delivery of this batch, or its source is over"));
    this.go();
  }

  /** Nobody is interested any more. */
  stop(): void {
    this.#isStopped = true;
    this.#call?.stop.unsubscribe();
    this.#call?.abort.abort(new Error("The pipeline was unsubscribed"));
  }

  #start(deliveries: readonly Delivery<A>[]): void {
    const part = deliveries.filter((delivery) => !this.#isGivenBack(delivery));
    if (part.length === 0 || this.#isStopped) return; // what was given back may have ended the pipeline
    const call: Call<A> = { part: [...part], abort: new AbortController(), stop: new Subscription() };
    this.#call = call;
    const values = part.map(({ value }) => value);
    this.#attempt(call, () => {
      const result = started(this.#plan.handle(values, part, call.abort.signal));
      if (toAwaited(result) !== undefined) this.#limit(call);
      this.#after(call, result, (answer) => this.#read(call, answer));
    });
  }

  /** What the handler answered: results, or promises of some of them. */
  #read(call: Call<A>, answer: unknown): void {
    const results = resultsOf(call.part.length, unwrap(answer));
    if (!results.some(isLate)) return this.#conclude(call, results);
    call.stop.unsubscribe();
    call.stop = new Subscription();
    const { timeoutMs, timeout } = this.#plan;
    this.#after(call, allResults(results, timeoutMs, timeout), (all) => this.#conclude(call, all as readonly unknown[]));
  }

  /** Goes on with a result, now or when it is there. */
  #after(call: Call<A>, result: unknown, next: (value: unknown) => void): void {
    const awaited = toAwaited(result);
    if (awaited === undefined) return next(result);
    const resume = (step: () => void): void => {
      if (this.#call !== call) return; // out of time, or let go
      this.#attempt(call, step);
      this.go();
    };
    const succeeded = (value: unknown): void => (this.#call === call ? resume(() => next(value)) : disownAll(value));
    const failed = (error: unknown): void => resume(() => this.#fail(call, error));
    call.stop.add(hear(awaited, succeeded, failed));
  }

  #attempt(call: Call<A>, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #limit(call: Call<A>): void {
    if (this.#plan.timeoutMs === undefined) return;
    const outOfTime = (): void => {
      const error = this.#plan.timeout();
      call.abort.abort(error);
      const [only, ...others] = call.part;
      if (only !== undefined && others.length === 0) heldBy(only).abort(error);
      this.#fail(call, error);
      this.go();
    };
    // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
    call.stop.add(timer(this.#plan.timeoutMs).subscribe({ next: outOfTime }));
  }

  #conclude(call: Call<A>, results: readonly unknown[]): void {
    this.#end(call);
    call.part.forEach((delivery, index) => {
      if (delivery !== undefined) this.#listener.next(this.#outcomeOf(delivery, results[index]));
    });
  }

  #outcomeOf(delivery: Delivery<A>, result: unknown): Flow<B> {
    try {
      return toOutcome<B>(delivery, result);
    } catch (error) {
      return this.#plan.fail(delivery, causeOf(error));
    }
  }

  #fail(call: Call<A>, error: unknown): void {
    this.#end(call);
    const part = call.part.filter((delivery) => delivery !== undefined);
    const { halves, cause } = part.length > 1 ? this.#judge(causeOf(error)) : { halves: false, cause: causeOf(error) };
    const middle = Math.ceil(part.length / 2);
    if (halves) this.#parts.push(part.slice(middle), part.slice(0, middle));
    else for (const delivery of part) this.#listener.next(this.#plan.fail(delivery, cause));
  }

  #judge(cause: unknown): { readonly halves: boolean; readonly cause: unknown } {
    try {
      return { halves: this.#plan.bisect(cause), cause };
    } catch (broken) {
      return { halves: false, cause: broken }; // the predicate's bug is the reason a person has to see
    }
  }

  #end(call: Call<A>): void {
    this.#call = undefined;
    call.stop.unsubscribe();
  }

  #isGivenBack(delivery: Delivery<A>): boolean {
    if (heldBy(delivery).state === "open") return false;
    this.#listener.next(settle.release(delivery));
    return true;
  }
}

import { Subscription, timer, type Observable, type OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import { Fifo } from "./fifo.js";
import { causeOf, hear, started, toAwaited, toOutcome } from "./handler-result.js";
import { LinkedList, type Linked } from "./linked-list.js";
import { operate } from "./operate.js";
import { OriginWatch } from "./watch-origins.js";

/** How to run handlers and what to make of their ends. @internal */
export interface HandlerPlan<A, B> {
  readonly concurrency: number;
  /** Decides about a delivery without its handler, where it can. */
  readonly refuse: (delivery: Delivery<A>) => Flow<B> | undefined;
  readonly handle: (delivery: Delivery<A>) => unknown;
  readonly fail: (delivery: Delivery<A>, error: unknown) => Flow<B>;
  /** Ms after which a handler has failed with `timeout()`; undefined: never. */
  readonly timeoutMs: number | undefined;
  readonly timeout: () => Error;
}

/** What becomes of a handler's end. */
interface Ends<A> {
  readonly succeeded: (job: Job<A>, result: unknown) => void;
  readonly failed: (job: Job<A>, error: unknown) => void;
}

/** A handler under way. */
class Job<A> implements Linked<Job<A>> {
  delivery: Delivery<A> | undefined;
  /** When its promise has called back, it can stand for another handler. */
  readonly isReusable: boolean;
  readonly succeeded: (result: unknown) => void;
  readonly failed: (error: unknown) => void;
  isListed = false;
  older: Job<A> | undefined;
  newer: Job<A> | undefined;
  #stop: Subscription | undefined;

  constructor(ends: Ends<A>, isReusable: boolean) {
    this.isReusable = isReusable;
    this.succeeded = (result) => ends.succeeded(this, result);
    this.failed = (error) => ends.failed(this, error);
  }

  /** What ends with it. A promise needs none. */
  stops(subscription: Subscription): void {
    (this.#stop ??= new Subscription()).add(subscription);
    if (!this.isListed) this.stop(); // it was over before it began
  }

  stop(): void {
    this.#stop?.unsubscribe();
    this.#stop = undefined;
  }
}

/** It calls back once, and never again. */
const isPlainPromise = (awaited: unknown): boolean => awaited instanceof Promise && awaited.then === Promise.prototype.then;

/**
 * Runs a handler per delivery, so many at a time, and emits the outcomes as they come. A handler that answers at once costs
 * neither promise nor microtask; the loop is iterative, so that any number of those in a row leave the stack flat.
 * A delivery that is lost meanwhile - to another consumer, or because its source stopped - is let go at once.
 * @internal
 */
export function runHandlers<A, B>(plan: HandlerPlan<A, B>): OperatorFunction<Flow<A>, Flow<B>> {
  return operate((subscriber) => {
    const waiting = new Fifo<Delivery<A>>();
    const jobs = new LinkedList<Job<A>>();
    let isPumping = false;
    let ended = false;

    const fail = (delivery: Delivery<A>, error: unknown): Flow<B> => plan.fail(delivery, causeOf(error));
    const succeed = (delivery: Delivery<A>, result: unknown): Flow<B> => {
      try {
        return toOutcome<B>(delivery, result);
      } catch (left) {
        return fail(delivery, left);
      }
    };
    const spare: Job<A>[] = []; // with their closures: those of one are a tenth of what an entry leaves to be collected
    /** The delivery it was about; undefined when it timed out, or was lost, before. */
    const end = (job: Job<A>): Delivery<A> | undefined => {
      const delivery = jobs.delete(job) ? job.delivery : undefined;
      job.stop();
      return delivery;
    };
    const emit = (outcome: Flow<B>): void => {
      subscriber.next(outcome);
      pump();
    };
    const giveUp = (job: Job<A>, decide: (delivery: Delivery<A>) => Flow<B>): void => {
      const delivery = end(job);
      if (delivery !== undefined) emit(decide(delivery));
    };
    const outOfTime = (delivery: Delivery<A>): Flow<B> => {
      const error = plan.timeout();
      heldBy(delivery).abort(error);
      return fail(delivery, error);
    };
    const ends: Ends<A> = {
      succeeded: (job, result) => {
        const delivery = end(job);
        retire(job);
        if (delivery !== undefined) emit(succeed(delivery, result));
      },
      failed: (job, error) => {
        const delivery = end(job);
        retire(job);
        if (delivery !== undefined) emit(fail(delivery, error));
      },
    };
    const retire = (job: Job<A>): void => {
      job.delivery = undefined;
      if (job.isReusable) spare.push(job);
    };
    const waitFor = (delivery: Delivery<A>, awaited: PromiseLike<unknown> | Observable<unknown>): void => {
      const isReusable = isPlainPromise(awaited);
      const job = (isReusable ? spare.pop() : undefined) ?? new Job(ends, isReusable);
      job.delivery = delivery;
      jobs.add(job);
      // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
      if (plan.timeoutMs !== undefined) job.stops(timer(plan.timeoutMs).subscribe({ next: () => giveUp(job, outOfTime) }));
      try {
        const stop = hear(awaited, job.succeeded, job.failed);
        if (stop !== undefined) job.stops(stop);
      } catch (error) {
        job.failed(error); // a thenable that throws
      }
    };
    const start = (delivery: Delivery<A>): Flow<B> | undefined => {
      if (heldBy(delivery).state !== "open") return settle.release(delivery);
      const refused = plan.refuse(delivery);
      if (refused !== undefined) return refused;
      try {
        const result = started(plan.handle(delivery));
        const awaited = toAwaited(result);
        if (awaited === undefined) return succeed(delivery, result);
        waitFor(delivery, awaited);
        return undefined;
      } catch (error) {
        return fail(delivery, error);
      }
    };
    const begin = (delivery: Delivery<A>): void => {
      const outcome = start(delivery);
      if (outcome !== undefined) subscriber.next(outcome);
    };
    const pump = (): void => {
      if (isPumping) return;
      isPumping = true;
      while (waiting.size > 0 && jobs.size < plan.concurrency && !subscriber.closed) begin(waiting.shift()!);
      isPumping = false;
      if (ended && jobs.size === 0 && waiting.size === 0) subscriber.complete();
    };
    const letGo = (held: HeldDelivery<unknown>): void => {
      for (const job of [...jobs]) {
        const { delivery } = job; // none any more when its handler has ended because of another that was let go here
        if (delivery !== undefined && heldBy(delivery) === held) giveUp(job, settle.release);
      }
    };
    const origins = new OriginWatch(() => ({ lost: letGo }));

    subscriber.add(() => {
      origins.stop();
      for (const job of [...jobs]) job.stop();
    });
    return {
      next: (item) => {
        if (item._tag === "Settled") return subscriber.next(item);
        origins.see(item);
        if (isPumping || jobs.size >= plan.concurrency) return waiting.push(item);
        isPumping = true; // nothing waits, then: what is let through here does not queue
        begin(item);
        isPumping = false;
        if (waiting.size > 0 || ended) pump();
      },
      complete: () => {
        ended = true;
        pump();
      },
    };
  });
}

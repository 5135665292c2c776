import { Observable, Subscription, timer, type OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import { Fifo } from "./fifo.js";
import { isPromise, LeftFailure, toAwaited, unwrap } from "./handler-result.js";
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

/** A handler under way. */
interface Job<A> {
  readonly delivery: Delivery<A>;
  readonly stop: Subscription;
}

/**
 * Runs a handler per delivery, so many at a time, and emits the outcomes as they come. A handler that answers at once costs
 * neither promise nor microtask; the loop is iterative, so that any number of those in a row leave the stack flat.
 * A delivery that is lost meanwhile - to another consumer, or because its source stopped - is let go at once.
 * @internal
 */
export function runHandlers<A, B>(plan: HandlerPlan<A, B>): OperatorFunction<Flow<A>, Flow<B>> {
  return (source) =>
    new Observable((subscriber) => {
      const waiting = new Fifo<Delivery<A>>();
      const jobs = new Map<HeldDelivery<unknown>, Job<A>>();
      let isPumping = false;
      let ended = false;

      const finish = (delivery: Delivery<A>, outcome: Flow<B>): void => {
        const held = heldBy(delivery);
        const job = jobs.get(held);
        if (job === undefined || job.delivery !== delivery) return; // timed out or lost before: decided already
        jobs.delete(held);
        job.stop.unsubscribe();
        subscriber.next(outcome);
        pump();
      };
      const succeed = (delivery: Delivery<A>, result: unknown): Flow<B> => {
        try {
          const value = unwrap(result) as B;
          return delivery.map(() => value);
        } catch (left) {
          return fail(delivery, left);
        }
      };
      const fail = (delivery: Delivery<A>, error: unknown): Flow<B> =>
        plan.fail(delivery, error instanceof LeftFailure ? error.left : error);

      const outOfTime = (delivery: Delivery<A>): void => {
        const error = plan.timeout();
        heldBy(delivery).abort(error);
        finish(delivery, fail(delivery, error));
      };
      const waitFor = (delivery: Delivery<A>, awaited: PromiseLike<unknown> | Observable<unknown>): void => {
        const stop = new Subscription();
        jobs.set(heldBy(delivery), { delivery, stop });
        if (plan.timeoutMs !== undefined) {
          // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
          stop.add(timer(plan.timeoutMs).subscribe({ next: () => outOfTime(delivery) }));
        }
        const succeeded = (result: unknown): void => finish(delivery, succeed(delivery, result));
        const failed = (error: unknown): void => finish(delivery, fail(delivery, error));
        if (isPromise(awaited)) void awaited.then(succeeded, failed);
        else stop.add(subscribeToLast(awaited, succeeded, failed));
      };
      const start = (delivery: Delivery<A>): Flow<B> | undefined => {
        if (heldBy(delivery).state !== "open") return settle.release(delivery);
        const refused = plan.refuse(delivery);
        if (refused !== undefined) return refused;
        try {
          const result = plan.handle(delivery);
          const awaited = toAwaited(result);
          if (awaited === undefined) return succeed(delivery, result);
          waitFor(delivery, awaited);
          return undefined;
        } catch (error) {
          return fail(delivery, error);
        }
      };
      const pump = (): void => {
        if (isPumping) return;
        isPumping = true;
        while (waiting.size > 0 && jobs.size < plan.concurrency && !subscriber.closed) {
          const outcome = start(waiting.shift()!);
          if (outcome !== undefined) subscriber.next(outcome);
        }
        isPumping = false;
        if (ended && jobs.size === 0 && waiting.size === 0) subscriber.complete();
      };
      const lost = (held: HeldDelivery<unknown>): void => {
        const job = jobs.get(held);
        if (job !== undefined) finish(job.delivery, settle.release(job.delivery));
      };
      const origins = new OriginWatch(() => ({ lost }));

      subscriber.add(() => {
        origins.stop();
        for (const { stop } of jobs.values()) stop.unsubscribe();
      });
      subscriber.add(
        source.subscribe({
          next: (item) => {
            if (item._tag === "Settled") return subscriber.next(item);
            origins.see(item);
            waiting.push(item);
            pump();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            ended = true;
            pump();
          },
        }),
      );
    });
}

function subscribeToLast(source: Observable<unknown>, succeeded: (last: unknown) => void, failed: (error: unknown) => void): Subscription {
  let last: unknown;
  return source.subscribe({ next: (value) => (last = value), error: failed, complete: () => succeeded(last) });
}

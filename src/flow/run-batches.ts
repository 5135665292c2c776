import type { OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy } from "../model/held-delivery.js";
import type { Flow } from "../model/settlement.js";
import { BatchRun, type BatchPlan } from "./batch-run.js";
import { Fifo } from "./fifo.js";
import { FlushClock } from "./flush-clock.js";
import { operate } from "./operate.js";

/** How to make batches, and how to handle them. @internal */
export interface BatchesPlan<A, B> extends BatchPlan<A, B> {
  readonly maxSize: number;
  readonly maxWaitMs: number;
  /** Batches at a time. */
  readonly concurrency: number;
  /** Decides about a delivery without its handler, where it can. */
  readonly refuse: (delivery: Delivery<A>) => Flow<B> | undefined;
}

/**
 * Collects deliveries and runs a handler per batch, so many at a time. While all are busy it goes on collecting, so that
 * batches are full when work is plenty.
 * @internal
 */
export function runBatches<A, B>(plan: BatchesPlan<A, B>): OperatorFunction<Flow<A>, Flow<B>> {
  return operate((subscriber) => {
    const waiting = new Fifo<Delivery<A>>();
    const runs = new Set<BatchRun<A, B>>();
    let isDue = false; // what waits has waited long enough, and goes without company
    let isPumping = false;
    let ended = false;

    const isReady = (): boolean => waiting.size >= plan.maxSize || (isDue && waiting.size > 0);
    const take = (): Delivery<A>[] => {
      const batch: Delivery<A>[] = [];
      while (waiting.size > 0 && batch.length < plan.maxSize) batch.push(waiting.shift()!);
      if (waiting.size === 0) {
        isDue = ended;
        clock.reset();
      }
      return batch;
    };
    const start = (): void => {
      const run = new BatchRun<A, B>(plan, take(), {
        next: (outcome) => subscriber.next(outcome),
        complete: () => {
          runs.delete(run);
          pump();
        },
      });
      runs.add(run);
      run.go();
    };
    const pump = (): void => {
      if (isPumping) return;
      isPumping = true;
      while (isReady() && runs.size < plan.concurrency && !subscriber.closed) start();
      isPumping = false;
      if (ended && runs.size === 0 && waiting.size === 0) subscriber.complete();
    };
    const flush = (): void => {
      isDue = true;
      pump();
    };
    const letGo = (): void => {
      for (const run of [...runs]) run.letGo();
    };
    const clock = new FlushClock({
      maxWaitMs: plan.maxWaitMs,
      held: () => waiting.size,
      flush,
      watcher: {
        lost: (held) => {
          if (!held.origin.over) letGo(); // at the end of a source all are lost, one by one: once is enough
        },
        abandoned: () => {
          letGo();
          flush();
        },
      },
    });

    subscriber.add(() => {
      clock.stop();
      for (const run of runs) run.stop();
    });
    return {
      next: (item) => {
        if (item._tag === "Settled") return subscriber.next(item);
        const origin = clock.see(item);
        const refused = heldBy(item).state === "open" ? plan.refuse(item) : undefined;
        if (refused !== undefined) return subscriber.next(refused);
        waiting.push(item);
        if (waiting.size >= plan.maxSize) pump();
        else clock.added(origin);
      },
      complete: () => {
        ended = true;
        flush();
      },
    };
  });
}

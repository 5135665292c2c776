import { Subscription, type Observable, type OperatorFunction } from "rxjs";
import { Fifo } from "./fifo.js";
import { operate } from "./operate.js";

/** @internal */
export interface BatchLimits<A> {
  /** Items in a batch at most. */
  readonly maxSize: number;
  /** What an item weighs, and after how much a batch is full. @defaultValue nothing */
  readonly weigh?: { readonly of: (item: A) => number; readonly full: number };
}

/**
 * Writes one batch after the other: the first item at once, and what comes during a write in the next one. So batches grow with the
 * load, and nothing waits for company. The end of the source, an error as well, passes when the last write is through.
 * @internal
 */
export function inBatches<A, R>(limits: BatchLimits<A>, write: (batch: readonly A[]) => Observable<R>): OperatorFunction<A, R> {
  return operate((subscriber) => {
    const waiting = new Fifo<A>();
    let isWriting = false;
    let end: (() => void) | undefined;
    const writes = new Subscription();
    subscriber.add(writes);

    const go = (): void => {
      if (isWriting) return;
      if (waiting.size === 0) return end?.();
      isWriting = true;
      writes.add(
        write(nextBatch(waiting, limits)).subscribe({
          next: (result) => subscriber.next(result),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isWriting = false;
            go();
          },
        }),
      );
    };
    return {
      next: (item) => {
        waiting.push(item);
        go();
      },
      error: (error) => {
        end = () => subscriber.error(error);
        go();
      },
      complete: () => {
        end = () => subscriber.complete();
        go();
      },
    };
  });
}

function nextBatch<A>(waiting: Fifo<A>, { maxSize, weigh }: BatchLimits<A>): A[] {
  const batch: A[] = [];
  for (let weight = 0; waiting.size > 0 && batch.length < maxSize && weight < (weigh?.full ?? Infinity);) {
    const item = waiting.shift()!;
    batch.push(item);
    weight += weigh?.of(item) ?? 0;
  }
  return batch;
}

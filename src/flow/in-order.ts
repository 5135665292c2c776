import type { OperatorFunction } from "rxjs";
import { Fifo } from "./fifo.js";
import { operate } from "./operate.js";

/**
 * Turns promises into their values and keeps the order; what is no promise, and has none before it, passes without a delay.
 * The promises must not reject. What waits is bounded by the credit of the source.
 * @internal
 */
export function inOrder<A>(): OperatorFunction<A | PromiseLike<A>, A> {
  return operate((subscriber) => {
    const waiting = new Fifo<A | PromiseLike<A>>();
    let isAwaiting = false;
    let ended = false;

    const emit = (value: A): void => {
      isAwaiting = false;
      subscriber.next(value);
      forward();
    };
    const forward = (): void => {
      while (waiting.size > 0 && !isAwaiting && !subscriber.closed) {
        const item = waiting.shift()!;
        if (isPromise(item)) {
          isAwaiting = true;
          void item.then(emit);
        } else subscriber.next(item);
      }
      if (ended && !isAwaiting) subscriber.complete();
    };
    return {
      next: (item) => {
        if (!isAwaiting && waiting.size === 0 && !isPromise(item)) return subscriber.next(item);
        waiting.push(item);
        if (!isAwaiting) forward();
      },
      complete: () => {
        ended = true;
        forward();
      },
    };
  });
}

const isPromise = <A>(item: A | PromiseLike<A>): item is PromiseLike<A> => typeof (item as PromiseLike<A> | undefined)?.then === "function";

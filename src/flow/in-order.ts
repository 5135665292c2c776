import { Observable, type OperatorFunction } from "rxjs";

/**
 * Turns promises into their values and keeps the order; what is no promise, and has none before it, passes without a delay.
 * The promises must not reject. What waits is bounded by the credit of the source.
 * @internal
 */
export function inOrder<A>(): OperatorFunction<A | PromiseLike<A>, A> {
  return (source) =>
    new Observable((subscriber) => {
      const waiting: (A | PromiseLike<A>)[] = [];
      let next = 0;
      let isAwaiting = false;
      let ended = false;

      const forward = (): void => {
        while (next < waiting.length && !subscriber.closed) {
          const item = waiting[next]!;
          if (isPromise(item)) return awaitItem(item);
          next += 1;
          subscriber.next(item);
        }
        waiting.length = next = 0;
        if (ended) subscriber.complete();
      };
      const awaitItem = (item: PromiseLike<A>): void => {
        isAwaiting = true;
        void item.then((value) => {
          isAwaiting = false;
          waiting[next] = value;
          forward();
        });
      };
      subscriber.add(
        source.subscribe({
          next: (item) => {
            if (!isAwaiting && !isPromise(item)) return subscriber.next(item);
            waiting.push(item);
            if (!isAwaiting) forward();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            ended = true;
            if (!isAwaiting) forward();
          },
        }),
      );
    });
}

const isPromise = <A>(item: A | PromiseLike<A>): item is PromiseLike<A> => typeof (item as PromiseLike<A> | undefined)?.then === "function";

import { Observable, Subject, type OperatorFunction } from "rxjs";

/**
 * Takes values from an iterable as the operator's results come, one for each value: `window` values at most are on their way.
 * When nobody listens any more the iterator is told to end.
 * @internal
 */
export function pull<A, R>(values: Iterable<A> | AsyncIterable<A>, window: number, through: OperatorFunction<A, R>): Observable<R> {
  return new Observable((subscriber) => {
    const iterator: Iterator<A> | AsyncIterator<A> =
      Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
    const taken = new Subject<A>();
    let state: "resting" | "taking" | "over" = "resting";
    let underWay = 0;

    const end = (how: () => void): void => {
      state = "over";
      how();
    };
    const receive = (step: IteratorResult<A, unknown>): void => {
      if (step.done === true) return end(() => taken.complete());
      underWay += 1;
      taken.next(step.value);
    };
    const take = (): void => {
      if (state !== "resting") return;
      state = "taking";
      try {
        while (underWay < window && isOpen()) {
          const step = iterator.next();
          if (step instanceof Promise) return void step.then(receiveLater, fail);
          receive(step);
        }
      } catch (error) {
        return fail(error);
      }
      if (isOpen()) state = "resting";
    };
    const isOpen = (): boolean => state !== "over";
    const receiveLater = (step: IteratorResult<A, unknown>): void => {
      if (!isOpen()) return;
      state = "resting";
      receive(step);
      take();
    };
    const fail = (error: unknown): void => {
      if (isOpen()) end(() => taken.error(error));
    };

    subscriber.add(() => {
      if (isOpen()) end(() => void Promise.resolve(iterator.return?.()).catch(() => undefined)); // it has no one to complain to
    });
    subscriber.add(
      taken.pipe(through).subscribe({
        next: (result) => {
          underWay -= 1;
          subscriber.next(result);
          take();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
    take();
  });
}

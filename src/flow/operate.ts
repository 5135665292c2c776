import { Observable, Subscriber, type OperatorFunction } from "rxjs";

/** What an operator does with its source. @internal */
export interface Handlers<A> {
  readonly next: (value: A) => void;
  /** @defaultValue passes the error on */
  readonly error?: (error: unknown) => void;
  readonly complete: () => void;
}

/**
 * Makes an operator whose handlers share state, as RxJS makes its own: what `next` throws becomes an error of the pipeline, and
 * a source that emits synchronously stops as soon as the subscriber has had enough.
 * @internal
 */
export function operate<A, B>(init: (subscriber: Subscriber<B>) => Handlers<A>): OperatorFunction<A, B> {
  return (source) =>
    new Observable((subscriber) => {
      const { next, error = (thrown: unknown) => subscriber.error(thrown), complete } = init(subscriber);
      if (subscriber.closed) return; // over before it began: nothing of the source is wanted
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- RxJS 7 has no other way to end a source that has not returned; takeUntil and tap cost 40 ns an item
      const input = new Subscriber<A>({
        next: (value: A) => {
          try {
            next(value);
          } catch (thrown) {
            input.unsubscribe();
            subscriber.error(thrown);
          }
        },
        error,
        complete: () => {
          if (!subscriber.closed) complete();
        },
      });
      subscriber.add(input); // before the source is subscribed: it may not return until it is through
      source.subscribe(input);
    });
}

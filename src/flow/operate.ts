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
      const handlers = init(subscriber);
      if (subscriber.closed) return; // over before it began: nothing of the source is wanted
      const input = new Input(handlers, subscriber);
      subscriber.add(input); // before the source is subscribed: it may not return until it is through
      source.subscribe(input);
    });
}

/**
 * RxJS 7 has no other way to end a source that has not returned; takeUntil and tap cost 40 ns an item. Its own class, because the `next` of
 * RxJS is everybody's: an engine that compiles it for one meets another, and begins anew.
 */
// eslint-disable-next-line rxjs-x/no-subclass -- see above
class Input<A> extends Subscriber<A> {
  readonly #take: (value: A) => void;
  readonly #output: Subscriber<unknown>;

  constructor({ next, error = (thrown) => output.error(thrown), complete }: Handlers<A>, output: Subscriber<unknown>) {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
    super({
      next,
      error,
      complete: () => {
        if (!output.closed) complete();
      },
    });
    this.#take = next;
    this.#output = output;
  }

  override next(value: A): void {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
    if (this.isStopped) return super.next(value); // which knows what is to be done about it
    try {
      this.#take(value);
    } catch (thrown) {
      this.unsubscribe();
      this.#output.error(thrown);
    }
  }
}

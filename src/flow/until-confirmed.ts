import { Observable, Subscription, timer, type ObservableInput, type Subscriber } from "rxjs";
import type { Origin } from "../model/origin.js";
import { hear } from "./handler-result.js";

/** One attempt to write. @internal */
export interface Attempt {
  readonly answer: ObservableInput<unknown>;
  /** Throws where not all is done: the rest is tried again. */
  readonly confirmed: (answer: unknown) => void;
}

/** @internal */
export const attempt = <A>(answer: ObservableInput<A>, confirmed: (answer: A) => void = () => undefined): Attempt => ({
  answer,
  confirmed: confirmed as (answer: unknown) => void,
});

/** Something that is written on behalf of a source. @internal */
export interface Writing<R> {
  readonly origin: Origin;
  /** Undefined: nothing is left to be written. */
  readonly attempt: () => Attempt | undefined;
  /** When to try again; errors with what can't heal. */
  readonly again: (error: unknown, failures: number) => Observable<unknown>;
  /** Nobody waits for it any more. */
  readonly close: () => R;
}

/** How long writes may go on after their source has stopped waiting for them. */
const graceMs = 2_000;

/**
 * Writes until Redis has confirmed it, or for a while after the source has stopped waiting, and emits what came of it. Written out, because
 * nearly every batch is confirmed at the first attempt: a chain of operators for each would be made for nothing.
 * @internal
 */
export function untilConfirmed<R>(writing: Writing<R>): Observable<R> {
  return new Observable((subscriber) => {
    const write = new RepeatedWrite(writing, subscriber);
    subscriber.add(() => write.stop());
    write.start();
  });
}

class RepeatedWrite<R> {
  readonly #writing: Writing<R>;
  readonly #subscriber: Subscriber<R>;
  #failures = 0;
  /** The attempt under way, or the pause before the next one; and the grace. */
  readonly #steps = new Subscription();
  #unwatch: (() => void) | undefined;

  constructor(writing: Writing<R>, subscriber: Subscriber<R>) {
    this.#writing = writing;
    this.#subscriber = subscriber;
  }

  start(): void {
    const { origin } = this.#writing;
    this.#unwatch = origin.watch({ abandoned: () => this.#giveUpSoon() });
    if (origin.over) this.#giveUpSoon();
    this.#try();
  }

  stop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#steps.unsubscribe();
  }

  #try(): void {
    try {
      const attempt = this.#writing.attempt();
      if (attempt === undefined) return this.#end();
      this.#steps.add(hear(attempt.answer, (answer) => this.#confirm(attempt, answer), (error) => this.#fail(error))); // prettier-ignore
    } catch (error) {
      this.#fail(error);
    }
  }

  #confirm({ confirmed }: Attempt, answer: unknown): void {
    if (this.#subscriber.closed) return;
    try {
      confirmed(answer);
    } catch (error) {
      return this.#fail(error);
    }
    this.#end();
  }

  #fail(error: unknown): void {
    if (this.#subscriber.closed) return;
    this.#failures += 1;
    const pause = this.#writing.again(error, this.#failures).subscribe({
      next: () => {
        pause.unsubscribe();
        this.#try();
      },
      error: (fatal: unknown) => this.#subscriber.error(fatal),
    });
    this.#steps.add(pause);
  }

  #giveUpSoon(): void {
    // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
    this.#steps.add(timer(graceMs).subscribe(() => this.#end()));
  }

  /** Once: what comes later finds it closed. */
  #end(): void {
    this.stop();
    try {
      this.#subscriber.next(this.#writing.close());
      this.#subscriber.complete();
    } catch (error) {
      this.#subscriber.error(error);
    }
  }
}

import { Observable, type Subscriber } from "rxjs";

/**
 * The end of an Observable at which items are put in. It does what a `Subject` does; but that makes a list and a closure for each item,
 * and a lane has one listener.
 * @internal
 */
export class Inlet<A> {
  #listeners: readonly Subscriber<A>[] = [];
  #end: ((listener: Subscriber<A>) => void) | undefined;

  readonly items$: Observable<A> = new Observable((listener) => {
    if (this.#end !== undefined) return this.#end(listener);
    this.#listeners = [...this.#listeners, listener]; // another list each time: one that is gone through stays as it is
    return () => (this.#listeners = this.#listeners.filter((each) => each !== listener));
  });

  get observed(): boolean {
    return this.#listeners.length > 0;
  }

  next(item: A): void {
    const listeners = this.#listeners;
    if (listeners.length === 1) return listeners[0]!.next(item);
    for (const each of listeners) each.next(item);
  }

  error(error: unknown): void {
    this.#finish((listener) => listener.error(error));
  }

  complete(): void {
    this.#finish((listener) => listener.complete());
  }

  #finish(end: (listener: Subscriber<A>) => void): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const each of this.#listeners) end(each);
  }
}

import { isObservable, Subscription, timer, type Observable } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import type { Grant } from "../model/sliding-window.js";

/** Asks for so many permits; `first` is the one that has waited longest. @internal */
export type Permits = (first: Delivery<unknown>, wanted: number) => Grant | Observable<Grant>;

/** @internal */
export interface TurnstileListener<A> {
  readonly next: (item: Flow<A>) => void;
  readonly error: (error: unknown) => void;
  /** Nobody waits any more. */
  readonly empty: () => void;
}

const longestTimerMs = 2 ** 31 - 1;

/** Lets deliveries through as permits are granted, in order. It asks for those that wait and for no more. @internal */
export class Turnstile<A> {
  readonly #permits: Permits;
  readonly #listener: TurnstileListener<A>;
  readonly #waiting = new Map<HeldDelivery<unknown>, Delivery<A>>();
  /** An answer or a time that is waited for. */
  #pause: Subscription | undefined;
  #isAsking = false;

  constructor(permits: Permits, listener: TurnstileListener<A>) {
    this.#permits = permits;
    this.#listener = listener;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  arrive(delivery: Delivery<A>): void {
    this.#waiting.set(heldBy(delivery), delivery);
    this.#ask();
  }

  /** It is not this consumer's any more, and needs no permit to leave. */
  lose(held: HeldDelivery<unknown>): void {
    const delivery = this.#waiting.get(held);
    if (delivery === undefined) return;
    this.#waiting.delete(held);
    this.#listener.next(settle.release(delivery));
    this.#noteEmpty();
  }

  stop(): void {
    this.#pause?.unsubscribe();
    this.#waiting.clear();
  }

  /** A loop, so that permits that are granted at once leave the stack flat. */
  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#waiting.size > 0 && this.#pause === undefined) {
      const [first] = this.#waiting.values();
      const answer = this.#permits(first!, this.#waiting.size);
      if (isObservable(answer)) this.#await(answer, (grant) => this.#admit(grant));
      else this.#admit(answer);
    }
    this.#isAsking = false;
    this.#noteEmpty();
  }

  #admit({ granted, waitMs }: Grant): void {
    let left = granted;
    for (const [held, delivery] of this.#waiting) {
      if (left === 0) break;
      left -= 1;
      this.#waiting.delete(held);
      this.#listener.next(delivery);
    }
    if (this.#waiting.size > 0 && waitMs > 0) this.#await(timer(Math.min(waitMs, longestTimerMs)), () => undefined);
  }

  #await<T>(source: Observable<T>, then: (value: T) => void): void {
    const pause = new Subscription();
    this.#pause = pause;
    const next = (value: T): void => {
      if (this.#pause === pause) this.#pause = undefined;
      then(value);
      this.#ask();
    };
    pause.add(source.subscribe({ next, error: (error: unknown) => this.#listener.error(error) }));
  }

  #noteEmpty(): void {
    if (this.#waiting.size === 0) this.#listener.empty();
  }
}

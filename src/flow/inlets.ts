import type { Observable } from "rxjs";
import { Fifo } from "./fifo.js";
import { Inlet } from "./inlet.js";

interface Feed<A> {
  readonly lane: number;
  readonly item: A;
}

/**
 * The ends of lanes at which items are put in. What comes while another item is being put in waits its turn: a lane that answers
 * at once and so asks for the next one leaves the stack flat, however many there are.
 * @internal
 */
export class Inlets<A> {
  readonly lanes: readonly Observable<A>[];
  readonly #inlets: readonly Inlet<A>[];
  readonly #ready = new Fifo<Feed<A>>();
  #isFeeding = false;
  #isEnding = false;

  constructor(count: number) {
    this.#inlets = Array.from({ length: count }, () => new Inlet<A>());
    this.lanes = this.#inlets.map(({ items$ }) => items$);
  }

  /** @throws Error when nobody listens to the lane: the item would be lost in silence */
  feed(lane: number, item: A): void {
    if (this.#isFeeding) return this.#ready.push({ lane, item });
    this.#isFeeding = true;
    this.#put(lane, item);
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) this.#put(next.lane, next.item);
    this.#isFeeding = false;
    if (this.#isEnding) this.complete();
  }

  /** When nothing waits to be put in. */
  complete(): void {
    this.#isEnding = true;
    if (!this.#isFeeding) for (const inlet of this.#inlets) inlet.complete();
  }

  error(error: unknown): void {
    for (const inlet of this.#inlets) inlet.error(error);
  }

  #put(lane: number, item: A): void {
    const inlet = this.#inlets[lane]!;
    if (inlet.observed) return inlet.next(item);
    throw new Error(`Nobody listens to lane ${lane} of partitionBy: it was not subscribed at once, or ended before its source`);
  }
}

import { expectedSize, largestOfLate, partOf, roomFor, type ByteSituation } from "../model/entry-size.js";
import type { HeldDelivery } from "../model/held-delivery.js";

/** How reads share the limit. @internal */
export interface Sharing {
  readonly readers: number;
  readonly streams: number;
}

/**
 * The bytes of what a source has handed out and not got back: estimated while a read is under way, exact from when it has come.
 * In entries, because these are what a read can ask for.
 * @internal
 */
export class ByteAccount {
  readonly #limit: number;
  #sharing: Sharing = { readers: 1, streams: 1 };
  #unsettled = 0;
  #reserved = 0;
  #largest: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get unsettled(): number {
    return this.#unsettled;
  }
  /** Entries that there is room for. */
  get free(): number {
    return roomFor(this.#situation(this.#unsettled + this.#reserved));
  }
  /** Entries that one read may ask for at most. */
  get share(): number {
    return partOf(this.#situation(0));
  }
  /** Nothing can be read before something is settled. */
  get isSpent(): boolean {
    return roomFor(this.#situation(this.#unsettled)) === 0;
  }

  shareAmong(sharing: Sharing): void {
    this.#sharing = sharing;
  }

  /** Sets the bytes of so many entries aside; the returned function gives them back, once. */
  reserve(count: number): () => void {
    let kept = count * expectedSize(this.#situation(0));
    this.#reserved += kept;
    return () => {
      this.#reserved -= kept;
      kept = 0;
    };
  }

  charge(page: readonly HeldDelivery<unknown>[]): void {
    let largest = 0;
    for (const { size } of page) {
      this.#unsettled += size;
      if (size > largest) largest = size;
    }
    this.#largest = largestOfLate(this.#situation(0), { count: page.length, largest });
  }

  /** What is to be delivered again goes on taking its room. */
  keep({ size }: HeldDelivery<unknown>): void {
    this.#unsettled += size;
  }

  refund({ size }: HeldDelivery<unknown>): void {
    this.#unsettled -= size;
  }

  #situation(taken: number): ByteSituation {
    return { limit: this.#limit, taken, largest: this.#largest, ...this.#sharing };
  }
}

import type { HeldDelivery } from "../model/held-delivery.js";

/**
 * Deliveries in the order in which they came. They are the links themselves, because a Set through which thousands come and go a
 * second is rebuilt all the time: 0.2 us an entry, half of it for collecting what is left behind.
 * @internal
 */
export class HeldList implements Iterable<HeldDelivery<unknown>> {
  #oldest: HeldDelivery<unknown> | undefined;
  #newest: HeldDelivery<unknown> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }
  get oldest(): HeldDelivery<unknown> | undefined {
    return this.#oldest;
  }

  add(held: HeldDelivery<unknown>): void {
    held.isListed = true;
    held.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = held;
    else this.#newest.newer = held;
    this.#newest = held;
    this.#size += 1;
  }

  /** @returns false when it was not there */
  delete(held: HeldDelivery<unknown>): boolean {
    if (!held.isListed) return false;
    const { older, newer } = held;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    held.isListed = false;
    held.older = held.newer = undefined; // else one that is kept for long would keep its neighbours
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<HeldDelivery<unknown>, void> {
    for (let held = this.#oldest; held !== undefined; held = held.newer) yield held;
  }
}

/** What may be in one list at a time. @internal */
export interface Linked<T> {
  isListed: boolean;
  older: T | undefined;
  newer: T | undefined;
}

/**
 * Things in the order in which they came. They are the links themselves, because a Set through which thousands come and go is rebuilt
 * all the time: 0.2 us for each, half of it for collecting what is left behind.
 * @internal
 */
export class LinkedList<T extends Linked<T>> implements Iterable<T> {
  #oldest: T | undefined;
  #newest: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }
  get oldest(): T | undefined {
    return this.#oldest;
  }

  add(item: T): void {
    item.isListed = true;
    item.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
    this.#size += 1;
  }

  /** @returns false when it was not there */
  delete(item: T): boolean {
    if (!item.isListed) return false;
    const { older, newer } = item;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    item.isListed = false;
    item.older = item.newer = undefined; // else one that is kept for long would keep its neighbours
    this.#size -= 1;
    return true;
  }

  /** What is deleted on the way must not be the one that comes next. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let item = this.#oldest; item !== undefined;) {
      const next: T | undefined = item.newer;
      yield item;
      item = next;
    }
  }
}

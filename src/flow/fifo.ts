/** A queue in which taking is as cheap as adding, and that holds on to nothing it has given away. @internal */
export class Fifo<A> {
  #items: (A | undefined)[];
  #head = 0;
  #size = 0;

  /** @param room - for so many at first; a power of two. @defaultValue 16 */
  constructor(room = 16) {
    this.#items = new Array<A | undefined>(room);
  }

  get size(): number {
    return this.#size;
  }

  push(item: A): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#size) & (this.#items.length - 1)] = item;
    this.#size += 1;
  }

  shift(): A | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#size -= 1;
    return item;
  }

  /** Twice the room: the length stays a power of two, so that an index wraps with a mask. */
  #grow(): void {
    const length = this.#items.length;
    const items = new Array<A | undefined>(length * 2);
    for (let index = 0; index < length; index += 1) items[index] = this.#items[(this.#head + index) & (length - 1)];
    this.#items = items;
    this.#head = 0;
  }
}

import type { Delivery } from "../model/delivery.js";
import { heldBy, type HeldDelivery, type Note } from "../model/held-delivery.js";
import { Fifo } from "./fifo.js";
import { Notes } from "./notes.js";

/** The deliveries of one key that are here: one in its lane, the rest behind it. A class, because it lives as long as they do: decision 33. */
class KeyQueue<A> implements Note {
  readonly by: object;
  readonly key: string;
  readonly lane: number;
  /** In the lane; none when the key has no more here. */
  front: HeldDelivery<unknown> | undefined;
  /** Made when there is a second one: most keys never have. */
  rest: Fifo<Delivery<A>> | undefined;

  constructor(by: object, key: string, lane: number, front: HeldDelivery<unknown>) {
    this.by = by;
    this.key = key;
    this.lane = lane;
    this.front = front;
  }
}

/**
 * Lets one delivery of a key into its lane at a time, in order of arrival. Nothing is kept of a key that has none here.
 * @internal
 */
export class KeyQueues<A> {
  readonly #feed: (lane: number, delivery: Delivery<A>) => void;
  readonly #byKey = new Map<string, KeyQueue<A>>();
  readonly #byDelivery = new Notes<KeyQueue<A>>();
  #waiting = 0;

  constructor(feed: (lane: number, delivery: Delivery<A>) => void) {
    this.#feed = feed;
  }

  /** Deliveries that wait behind another one of their key. */
  get waiting(): number {
    return this.#waiting;
  }

  add(key: string, lane: number, delivery: Delivery<A>): void {
    const held = heldBy(delivery);
    const queue = this.#byKey.get(key);
    if (queue !== undefined) return this.#append(queue, delivery, held);
    const fresh = new KeyQueue<A>(this.#byDelivery, key, lane, held);
    this.#byKey.set(key, fresh);
    this.#byDelivery.set(held, fresh);
    this.#feed(lane, delivery);
  }

  /** Its lane has let go of it, or it is not ours any more: the next one of its key may go. True when it was still waiting. */
  leave(held: HeldDelivery<unknown>): boolean {
    const queue = this.#byDelivery.get(held);
    if (queue === undefined) return false;
    this.#byDelivery.delete(held);
    if (queue.front === held) {
      this.#advance(queue);
      return false;
    }
    this.#waiting -= 1; // what is left of it in the queue is passed over
    return true;
  }

  /** Takes out those that wait behind a delivery in its lane, and of them those alone that came from the same stream. */
  takeBehind(held: HeldDelivery<unknown>): readonly Delivery<A>[] {
    const queue = this.#byDelivery.get(held);
    if (queue?.rest === undefined || queue.front !== held) return [];
    const { rest } = queue;
    queue.rest = undefined;
    const taken: Delivery<A>[] = [];
    for (let next = this.#shift(rest); next !== undefined; next = this.#shift(rest)) {
      if (next.stream === held.stream && heldBy(next).origin === held.origin) taken.push(next);
      else this.#append(queue, next, heldBy(next));
    }
    return taken;
  }

  #append(queue: KeyQueue<A>, delivery: Delivery<A>, held: HeldDelivery<unknown>): void {
    this.#byDelivery.set(held, queue);
    this.#waiting += 1;
    (queue.rest ??= new Fifo(4)).push(delivery);
  }

  #advance(queue: KeyQueue<A>): void {
    const next = queue.rest && this.#shift(queue.rest);
    if (next === undefined) return this.#drop(queue);
    const held = heldBy(next);
    queue.front = held;
    this.#byDelivery.set(held, queue);
    this.#feed(queue.lane, next);
  }

  /** The last delivery with it: tables that the Map has left behind still have the queue, and would keep what it has. */
  #drop(queue: KeyQueue<A>): void {
    queue.front = undefined;
    this.#byKey.delete(queue.key);
  }

  /** The next one that has not left meanwhile. */
  #shift(rest: Fifo<Delivery<A>>): Delivery<A> | undefined {
    let next = rest.shift();
    while (next !== undefined && !this.#byDelivery.delete(heldBy(next))) next = rest.shift();
    if (next !== undefined) this.#waiting -= 1;
    return next;
  }
}

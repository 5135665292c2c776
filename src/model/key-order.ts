import { EntryIdOrd, type EntryId } from "./entry-id.js";
import type { OrderAnswer, OrderStep } from "./order.js";

/** Where an entry stands: to be asked about, let through and not settled, or on its way back to Redis. @internal */
export type OrderPhase = "arrived" | "through" | "leaving";

/** How long an entry waits beyond the one it waits for, if nobody makes it due before: the process may be gone by then. */
const restMs = 5_000;

/**
 * The order of one key, as far as this process knows it: while any entry of it is here, and not longer. What is not here is in
 * Redis, which is asked about every entry that arrives.
 * @internal
 */
export class KeyOrder {
  readonly key: string;
  readonly #count: Record<OrderPhase, number> = { arrived: 0, through: 0, leaving: 0 };
  /** The highest entry that was let through: those up to it are here. Unknown since one of them was put back. */
  #through: EntryId | undefined;
  /** The highest entry that is asked about: what comes after it waits for whatever it waits for. */
  #asked: EntryId | undefined;
  /** The lowest of those on their way back, and how long it waits there; entries above must not pass. */
  #left: { readonly id: EntryId; readonly waitMs: number } | undefined;
  /** Redis may hold entries of this key. */
  #mayWait = false;
  #hasSettled = false;
  #toForget: EntryId[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** Nothing of it is here any more. */
  get isOver(): boolean {
    const { arrived, through, leaving } = this.#count;
    return arrived + through + leaving === 0;
  }

  arrive(): void {
    this.#count.arrived += 1;
  }

  /** Above which entry to look for earlier ones. What was put back together does not come again in order. */
  lookAbove(id: EntryId): EntryId | undefined {
    const known = [this.#asked, this.#through].find((each) => each !== undefined && isBefore(each, id));
    if (this.#asked === undefined || isBefore(this.#asked, id)) this.#asked = id;
    return known;
  }

  /** What to do with an entry that was asked about: ms to send it back for, undefined to let it through. */
  decide(id: EntryId, { isMarked, waitsMs }: OrderAnswer, most: number): number | undefined {
    this.#mayWait ||= isMarked || waitsMs !== undefined;
    if (this.#left !== undefined && isBefore(this.#left.id, id)) return this.#left.waitMs + restMs;
    if (waitsMs !== undefined) return waitsMs + restMs;
    return this.#mayWait && this.#count.through >= most ? restMs : undefined;
  }

  letThrough(id: EntryId): void {
    this.#count.arrived -= 1;
    this.#count.through += 1;
    if (this.#through === undefined || isBefore(this.#through, id)) this.#through = id;
  }

  /** It goes back for so long; later ones are not to pass it. How long those are to wait. */
  putBack(id: EntryId, from: OrderPhase, waitMs: number): number {
    this.#count[from] -= 1;
    this.#count.leaving += 1;
    this.#mayWait = true;
    this.#asked = undefined;
    if (from === "through") this.#through = undefined;
    if (this.#left === undefined || isBefore(id, this.#left.id)) this.#left = { id, waitMs };
    this.#tidy();
    return waitMs + restMs;
  }

  /** It is in Redis again, and later ones wait for it there. */
  isBack(from: OrderPhase): void {
    this.#count[from] -= 1;
    this.#mayWait = true;
    if (from === "through") {
      this.#asked = undefined;
      this.#through = undefined;
      this.#hasSettled = false; // whatever waits in Redis waits for this one now
    }
    this.#tidy();
  }

  /** It is settled for good, although it may have been on its way back, or it is not ours any more. */
  settle(id: EntryId, from: OrderPhase, isMarked: boolean): void {
    this.#count[from] -= 1;
    if (from !== "arrived") this.#hasSettled = true;
    if (from === "through" && isMarked) this.#toForget.push(id);
    this.#tidy();
  }

  /** What is to be done in Redis, now that something was settled: what waits there may come when nothing of it is at work here. */
  takeStep(most: number): OrderStep | undefined {
    if (this.#count.through > 0 || !this.#mayWait || !this.#hasSettled) return undefined;
    const step = { key: this.key, settled: this.#toForget, count: most };
    this.#toForget = [];
    return step;
  }

  #tidy(): void {
    const { arrived, through, leaving } = this.#count;
    if (arrived === 0 && leaving === 0) this.#left = undefined;
    if (arrived === 0) this.#asked = undefined;
    if (through === 0) this.#through = undefined;
  }
}

const isBefore = (one: EntryId, other: EntryId): boolean => EntryIdOrd.compare(one, other) < 0;

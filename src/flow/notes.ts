import type { HeldDelivery, Note } from "../model/held-delivery.js";

/**
 * What an operator notes of deliveries. The first one to note something of a delivery does so on the delivery itself, because a Map through
 * which thousands come and go is rebuilt all the time; others that do so meanwhile have a Map.
 * @internal
 */
export class Notes<N extends Note> {
  readonly #others = new Map<HeldDelivery<unknown>, N>();

  get(held: HeldDelivery<unknown>): N | undefined {
    if (held.note?.by === this) return held.note as N;
    return this.#others.size === 0 ? undefined : this.#others.get(held);
  }

  /** @param note - by these notes */
  set(held: HeldDelivery<unknown>, note: N): void {
    const isElsewhere = this.#others.size > 0 && this.#others.has(held);
    if (!isElsewhere && (held.note === undefined || held.note.by === this)) held.note = note;
    else this.#others.set(held, note);
  }

  /** @returns false when there was none */
  delete(held: HeldDelivery<unknown>): boolean {
    if (held.note?.by !== this) return this.#others.size > 0 && this.#others.delete(held);
    held.note = undefined;
    return true;
  }
}

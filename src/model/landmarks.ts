import { EntryIdOrd, type EntryId } from "./entry-id.js";

/** How many are kept. */
const most = 64;

/** Some of the ids that a reader was given: the newest ones, and of the older ones fewer and fewer. @internal */
export class Landmarks {
  #ids: readonly EntryId[] = [];

  /** @param id - greater than those before */
  add(id: EntryId): void {
    const ids = [...this.#ids, id];
    this.#ids = ids.length <= most ? ids : ids.filter((_, index) => index >= most / 2 || index % 2 === 0);
  }

  /** The greatest that is no greater than `last`; those above it are forgotten. */
  goBackTo(last: EntryId): EntryId | undefined {
    this.#ids = this.#ids.filter((id) => EntryIdOrd.compare(id, last) <= 0);
    return this.#ids.at(-1);
  }
}

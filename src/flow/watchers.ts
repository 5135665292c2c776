import type { OriginWatcher } from "../model/origin.js";

/**
 * Who listens to a source. A list that is replaced, because they come and go with every batch: a Set is rebuilt for that all the time, and
 * each table that it leaves behind points to the next one, so that what they have held lives until the old generation is collected.
 * @internal
 */
export class Watchers {
  #all: readonly OriginWatcher[] = [];

  /** Listens until the returned function is called. */
  add(watcher: OriginWatcher): () => void {
    this.#all = [...this.#all, watcher];
    return () => (this.#all = this.#all.filter((each) => each !== watcher));
  }

  /** Who begins or stops to listen meanwhile changes nothing about who is told. */
  tell(message: (watcher: OriginWatcher) => void): void {
    for (const watcher of this.#all) message(watcher);
  }
}

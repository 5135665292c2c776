/**
 * Places and until when each counts: the latest, `most` at most and half as many at least. In two generations, because a Map whose oldest
 * entry is taken out again and again costs microseconds each time: it has to step over all that were there before.
 * @internal
 */
export class RecentPlaces {
  readonly #most: number;
  readonly #perGeneration: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
    this.#perGeneration = Math.max(1, Math.floor(most / 2));
  }

  /** Until when it counts; whoever asks makes it one of the latest. */
  until(place: string): number | undefined {
    const young = this.#young.get(place);
    if (young !== undefined) return young;
    const old = this.#old.get(place);
    if (old !== undefined) this.remember(place, old);
    return old;
  }

  remember(place: string, until: number): void {
    if (this.#most === 0) return;
    if (this.#young.size >= this.#perGeneration && !this.#young.has(place)) {
      this.#old = this.#most > 1 ? this.#young : new Map<string, number>();
      this.#young = new Map();
    }
    this.#young.set(place, until);
  }

  forget(place: string): void {
    this.#young.delete(place);
    this.#old.delete(place);
  }
}

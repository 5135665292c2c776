/**
 * Places that somebody holds; and until when others count: of those the latest, `most` at most and half as many at least. All in one Map,
 * because a place that is held first and counts afterwards stays where it is there: what comes and goes is what costs. Those that count
 * stand in a ring, too: a Map whose oldest entry is taken out again and again would have to step over all that were there before.
 * @internal
 */
export class RecentPlaces<A extends object> {
  readonly #most: number;
  /** Who holds a place, or where in the ring it stands. */
  readonly #known = new Map<string, A | number>();
  readonly #places: string[] = [];
  readonly #untils: number[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Who holds it, or until when it counts; whoever asks for that makes it one of the latest. */
  get(place: string): A | number | undefined {
    const known = this.#known.get(place);
    if (typeof known !== "number") return known;
    const until = this.#untils[known]!;
    if (!this.#isLate(known)) this.remember(place, until);
    return until;
  }

  hold(place: string, holder: A): void {
    this.#known.set(place, holder);
  }

  /** Nobody holds it any more; from now on it counts. */
  remember(place: string, until: number): void {
    if (this.#most === 0) return this.forget(place);
    const known = this.#known.get(place);
    if (typeof known === "number" && this.#isLate(known)) this.#untils[known] = until;
    else this.#known.set(place, this.#enter(place, until));
  }

  forget(place: string): void {
    this.#known.delete(place);
  }

  /** Whether it stands in the later half of the ring. */
  #isLate(at: number): boolean {
    return (this.#next - at + this.#most) % this.#most <= this.#most / 2 && at !== this.#next;
  }

  /** Takes the next place of the ring from the one that has it. */
  #enter(place: string, until: number): number {
    const at = this.#next;
    const oldest = this.#places[at];
    if (oldest !== undefined && this.#known.get(oldest) === at) this.#known.delete(oldest);
    this.#places[at] = place;
    this.#untils[at] = until;
    this.#next = (at + 1) % this.#most;
    return at;
  }
}

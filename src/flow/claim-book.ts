import { asyncScheduler } from "rxjs";
import type { Claim } from "../model/claim.js";
import type { Delivery } from "../model/delivery.js";
import type { EntryId } from "../model/entry-id.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import type { DedupeScope } from "../model/keys.js";
import type { ClaimAnswer } from "../redis/port.js";
import { LinkedList, type Linked } from "./linked-list.js";
import { RecentPlaces } from "./recent-places.js";

/** What one `dedupe` knows without asking Redis: the keys in its process's hands, and the ones that were done last. @internal */
export class ClaimBook {
  readonly #places: RecentPlaces<HeldClaim>;
  readonly #held = new LinkedList<HeldClaim>();

  constructor(maxDone: number) {
    this.#places = new RecentPlaces(maxDone);
  }

  /** Those that are to be renewed. */
  get claims(): readonly HeldClaim[] {
    return [...this.#held].filter(({ held }) => held.state !== "lost");
  }

  /** Notes that Redis is asked for a key; not where another delivery here has it, or asks for it: then the wish has to wait for that. */
  ask(wish: HeldClaim): boolean {
    const { place, held } = wish;
    const known = this.#places.get(place);
    if (typeof known === "number" && this.#counts(place, known)) return false;
    if (typeof known === "object" && known.held !== held && known.held.state !== "lost") wish.behind = known;
    else this.#places.hold(place, wish);
    return wish.behind === undefined;
  }

  isDone(place: string): boolean {
    const known = this.#places.get(place);
    return typeof known === "number" && this.#counts(place, known);
  }

  hold(claim: HeldClaim): void {
    this.#held.add(claim);
    claim.held.claim(claim);
  }

  /** It was not given what it asked for. */
  drop(wish: HeldClaim): void {
    if (this.#places.get(wish.place) === wish) this.#places.forget(wish.place);
  }

  end(claim: HeldClaim, isDone: boolean): void {
    this.#held.delete(claim);
    if (!isDone) return this.drop(claim);
    const { place, held, ttlMs } = claim;
    this.remember(place, held.since + ttlMs); // from before the key was marked: here it is forgotten first
  }

  remember(place: string, until: number): void {
    this.#places.remember(place, until);
  }

  #counts(place: string, until: number): boolean {
    const counts = until > asyncScheduler.now();
    if (!counts) this.#places.forget(place);
    return counts;
  }
}

/** What the claims of one group and stream have in common. @internal */
export interface ClaimTerms {
  readonly book: ClaimBook;
  readonly scope: DedupeScope;
  /** What tells their keys from those of others in the book. */
  readonly mark: string;
  readonly ttlMs: number;
  readonly holderOf: (id: EntryId) => string;
}

/** The wish of a delivery to be the one that handles its key, and then its claim to that. @internal */
export class HeldClaim implements Claim, Linked<HeldClaim> {
  readonly delivery: Delivery<unknown>;
  readonly held: HeldDelivery<unknown>;
  readonly name: string;
  /** The same for all who must not handle the key twice. */
  readonly place: string;
  /** What Redis said, if it was asked. */
  answer: ClaimAnswer | undefined;
  /** Another one of this process that has the key, or asks for it. */
  behind: HeldClaim | undefined;
  /** Its place among those that are held. */
  isListed = false;
  older: HeldClaim | undefined;
  newer: HeldClaim | undefined;
  readonly #terms: ClaimTerms;

  constructor(terms: ClaimTerms, delivery: Delivery<unknown>, name: string) {
    this.#terms = terms;
    this.delivery = delivery;
    this.held = heldBy(delivery);
    this.name = name;
    this.place = terms.mark + name;
  }

  get scope(): DedupeScope {
    return this.#terms.scope;
  }
  get ttlMs(): number {
    return this.#terms.ttlMs;
  }
  get holder(): string {
    return this.#terms.holderOf(this.held.id);
  }

  over(isDone: boolean): void {
    this.#terms.book.end(this, isDone);
  }
}

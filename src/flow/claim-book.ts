import { asyncScheduler } from "rxjs";
import type { Claim } from "../model/claim.js";
import type { Delivery } from "../model/delivery.js";
import type { EntryId } from "../model/entry-id.js";
import { heldBy, type HeldDelivery } from "../model/held-delivery.js";
import type { DedupeScope } from "../model/keys.js";
import type { ClaimAnswer } from "../redis/port.js";
import { RecentPlaces } from "./recent-places.js";

/** What one `dedupe` knows without asking Redis: the keys in its process's hands, and the ones that were done last. @internal */
export class ClaimBook {
  readonly #held = new Map<string, HeldClaim>();
  /** Until when a key stays done. */
  readonly #done: RecentPlaces;

  constructor(maxDone: number) {
    this.#done = new RecentPlaces(maxDone);
  }

  /** Those that are to be renewed. */
  get claims(): readonly HeldClaim[] {
    return [...this.#held.values()].filter(({ isHeld, held }) => isHeld && held.state !== "lost");
  }

  /** Notes that Redis is asked for a key; not where another delivery here has it, or asks for it: then the wish has to wait for that. */
  ask(wish: HeldClaim): boolean {
    const { place, held } = wish;
    const other = this.#held.get(place);
    if (other !== undefined && other.held !== held && other.held.state !== "lost") wish.behind = other;
    else if (this.isDone(place)) return false;
    else this.#held.set(place, wish);
    return wish.behind === undefined;
  }

  isDone(place: string): boolean {
    const until = this.#done.until(place);
    if (until === undefined || until > asyncScheduler.now()) return until !== undefined;
    this.#done.forget(place);
    return false;
  }

  hold(claim: HeldClaim): void {
    claim.isHeld = true;
    claim.held.claim(claim);
  }

  /** It was not given what it asked for. */
  drop(wish: HeldClaim): void {
    if (this.#held.get(wish.place) === wish) this.#held.delete(wish.place);
  }

  end(claim: HeldClaim, isDone: boolean): void {
    this.drop(claim);
    if (isDone) this.remember(claim.place, claim.since + claim.ttlMs);
  }

  remember(place: string, until: number): void {
    this.#done.remember(place, until);
  }
}

/** What the claims of one group and stream have in common. @internal */
export interface ClaimTerms {
  readonly book: ClaimBook;
  readonly scope: DedupeScope;
  /** What the keys begin with. */
  readonly prefix: string;
  readonly ttlMs: number;
  readonly holderOf: (id: EntryId) => string;
}

/** The wish of a delivery to be the one that handles its key, and then its claim to that. @internal */
export class HeldClaim implements Claim {
  readonly delivery: Delivery<unknown>;
  readonly held: HeldDelivery<unknown>;
  /** The same for all who must not handle the key twice. */
  readonly place: string;
  /** From before the key is marked in Redis: what is remembered here is forgotten there a little later. */
  readonly since: number = asyncScheduler.now();
  /** What Redis said, if it was asked. */
  answer: ClaimAnswer | undefined;
  /** Another one of this process that has the key, or asks for it. */
  behind: HeldClaim | undefined;
  isHeld = false;
  readonly #terms: ClaimTerms;

  constructor(terms: ClaimTerms, delivery: Delivery<unknown>, name: string) {
    this.#terms = terms;
    this.delivery = delivery;
    this.held = heldBy(delivery);
    this.place = terms.prefix + name;
  }

  get name(): string {
    return this.place.slice(this.#terms.prefix.length);
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

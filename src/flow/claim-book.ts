import { asyncScheduler } from "rxjs";
import type { Claim } from "../model/claim.js";
import type { HeldDelivery } from "../model/held-delivery.js";
import type { DedupeScope } from "../model/keys.js";
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
    return [...this.#held.values()].filter(({ held }) => held.state !== "lost");
  }

  /** True when another delivery in flight here has the key. */
  isTaken({ place, held }: HeldClaim): boolean {
    const claim = this.#held.get(place);
    return claim !== undefined && claim.held.state !== "lost" && claim.held !== held;
  }

  isDone(place: string): boolean {
    const until = this.#done.until(place);
    if (until === undefined || until > asyncScheduler.now()) return until !== undefined;
    this.#done.forget(place);
    return false;
  }

  hold(claim: HeldClaim): void {
    this.#held.set(claim.place, claim);
    claim.held.claim(claim);
  }

  end(claim: HeldClaim, isDone: boolean): void {
    if (this.#held.get(claim.place) === claim) this.#held.delete(claim.place);
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
}

/** The wish of a delivery to be the one that handles its key, and then its claim to that. @internal */
export class HeldClaim implements Claim {
  readonly held: HeldDelivery<unknown>;
  readonly name: string;
  readonly holder: string;
  /** The same for all who must not handle the key twice. */
  readonly place: string;
  /** From before the key is marked in Redis: what is remembered here is forgotten there a little later. */
  readonly since: number = asyncScheduler.now();
  readonly #terms: ClaimTerms;

  constructor(terms: ClaimTerms, held: HeldDelivery<unknown>, name: string, holder: string) {
    this.#terms = terms;
    this.held = held;
    this.name = name;
    this.holder = holder;
    this.place = terms.prefix + name;
  }

  get scope(): DedupeScope {
    return this.#terms.scope;
  }
  get ttlMs(): number {
    return this.#terms.ttlMs;
  }

  over(isDone: boolean): void {
    this.#terms.book.end(this, isDone);
  }
}

import type { Delivery } from "./delivery.js";
import type { DedupeScope } from "./keys.js";

/** A key of dedupe, and the entry that has claimed it or is to. @internal */
export interface ClaimedKey {
  readonly scope: DedupeScope;
  readonly name: string;
  readonly holder: string;
  /** How long it stays done, ms. */
  readonly ttlMs: number;
}

/** A claim in this process's hands. @internal */
export interface Claim extends ClaimedKey {
  /** Its settlement is confirmed, or nobody waits for that any more. */
  over(isDone: boolean): void;
}

/** How an entry signs its claims: the same whenever and to whomever it is delivered. @internal */
export const holderOf = ({ stream, group = "", id }: Delivery<unknown>): string => JSON.stringify([stream, group, id]);

/** @internal */
export function endClaims(claims: readonly Claim[] | undefined, isDone: boolean): void {
  if (claims !== undefined) for (const claim of claims) claim.over(isDone);
}

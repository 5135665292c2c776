import type { Monoid } from "fp-ts/lib/Monoid.js";
import * as O from "fp-ts/lib/Option.js";
import { integer, number, oneOf } from "./check.js";

/** A failed delivery, as a policy sees it. @public */
export interface Failure {
  /** Redis' delivery count, the failed delivery included; 1 or more. */
  readonly deliveryCount: number;
  readonly error: unknown;
  /** A random number in [0, 1), drawn once per failure, so that a policy is a pure function. */
  readonly random: number;
}

/** What a policy advises: wait `delayMs`, but no longer than `capMs`; or do not try again. @public */
export interface Advice {
  readonly delayMs: number;
  readonly capMs: number;
  readonly giveUp: boolean;
}

/**
 * How long to wait before an entry is delivered again, and when to give up. Policies are values that compose with
 * {@link BackoffMonoid}: the longest delay wins, the lowest cap holds, and one that gives up is enough.
 * @public
 */
export type BackoffPolicy = (failure: Failure) => Advice;

const neutral: Advice = { delayMs: 0, capMs: Infinity, giveUp: false };

/**
 * Joins policies; the order does not matter.
 * @example
 * ```ts
 * const backoff = concatAll(BackoffMonoid)([exponential({ baseMs: 200, maxMs: 60_000 }), limit(8)]);
 * ```
 * @public
 */
export const BackoffMonoid: Monoid<BackoffPolicy> = {
  empty: () => neutral,
  concat: (first, second) => (failure) => {
    const one = first(failure);
    const other = second(failure);
    return {
      delayMs: Math.max(one.delayMs, other.delayMs),
      capMs: Math.min(one.capMs, other.capMs),
      giveUp: one.giveUp || other.giveUp,
    };
  },
};

/** Options of {@link exponential}. @public */
export interface ExponentialOptions {
  /** Delay after the first failure, ms, 1 or more. */
  readonly baseMs: number;
  /** The longest delay, ms; at least `baseMs`. */
  readonly maxMs: number;
  /** Growth from one delivery to the next; 1 or more. @defaultValue `2` */
  readonly factor?: number;
  /** `full`: anywhere from 0 to the delay; `equal`: from half of it; `none`: exactly it. @defaultValue `"equal"` */
  readonly jitter?: "full" | "equal" | "none";
}

/**
 * Grows the delay with every delivery: `baseMs`, `baseMs × factor`, … up to `maxMs`, spread by jitter so that entries which
 * failed together do not come back together.
 * @throws RangeError at call time for values out of range
 * @example
 * ```ts
 * const policy = exponential({ baseMs: 100, maxMs: 1000, jitter: "none" });
 * delayAfter(policy, { deliveryCount: 3, error: new Error("busy"), random: 0 }); // => { _tag: "Some", value: 400 }
 * ```
 * @public
 */
export function exponential(options: ExponentialOptions): BackoffPolicy {
  const { baseMs, maxMs, factor = 2, jitter = "equal" } = options;
  integer("baseMs", baseMs, 1); // not for a timer: Redis waits, for years if need be
  integer("maxMs", maxMs, baseMs);
  number("factor", factor, 1);
  oneOf("jitter", jitter, ["full", "equal", "none"]);
  const fixedShare = { full: 0, equal: 0.5, none: 1 }[jitter];
  return ({ deliveryCount, random }) => {
    const delayMs = Math.min(maxMs, baseMs * factor ** (deliveryCount - 1));
    return { ...neutral, delayMs: Math.round(delayMs * (fixedShare + (1 - fixedShare) * random)) };
  };
}

/**
 * The same delay after every failure.
 * @param delayMs - ms, 0 or more
 * @public
 */
export function fixed(delayMs: number): BackoffPolicy {
  const advice = { ...neutral, delayMs: integer("delayMs", delayMs, 0) };
  return () => advice;
}

/**
 * Bounds the delay of the policies it is joined with.
 * @param maxMs - ms, 0 or more
 * @public
 */
export function capDelay(maxMs: number): BackoffPolicy {
  const advice = { ...neutral, capMs: integer("maxMs", maxMs, 0) };
  return () => advice;
}

/**
 * Gives up after `n` deliveries: the entry becomes a dead letter.
 * @param n - 1 or more
 * @public
 */
export function limit(n: number): BackoffPolicy {
  integer("n", n, 1);
  return ({ deliveryCount }) => ({ ...neutral, giveUp: deliveryCount >= n });
}

/** What a policy says in the end: a delay in ms, or none when it gives up. @public */
export function delayAfter(policy: BackoffPolicy, failure: Failure): O.Option<number> {
  const { delayMs, capMs, giveUp } = policy(failure);
  return giveUp ? O.none : O.some(Math.min(delayMs, capMs));
}

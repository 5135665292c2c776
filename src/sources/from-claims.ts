import type { Observable } from "rxjs";
import { claimStale } from "../flow/claim-stale.js";
import { sourceSettings, type GroupSourceOptions } from "../flow/group-settings.js";
import { openSource } from "../flow/open-source.js";
import { durationMs } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import type { BinaryFields, Fields } from "../model/fields.js";
import type { Payload } from "../model/payload.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/**
 * Options of {@link fromClaims}.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface FromClaimsOptions<P extends Payload = "string"> extends GroupSourceOptions<P> {
  /**
   * How long an entry must have been unsettled and unrenewed, ms, 100 or more: at least the lease of the group's consumers. It
   * is the lease of what is claimed, too.
   */
  readonly minIdleMs: number;
  /** From the end of one walk of the pending entries to the next, ms, 10 or more; a fifth of it is jitter. */
  readonly everyMs: number;
}

/**
 * Emits what other consumers of a group left behind, and nothing else: a recovery worker in one line.
 *
 * ```text
 * pending    a(5 s) b(40 s) c(50 s)         idle times at the first walk, minIdleMs 30 000
 * deliveries ------b-c---------------a--    a when it is old enough, unless it was settled
 * ```
 *
 * **Guarantee** at least once, as with `fromGroup`. An entry that waits for a retry is left alone; one that was deleted
 * is acked away and reported as `tombstone`; delivery counts are Redis' own. What is in flight here is renewed and not claimed again.
 * **Order** by id per walk. **Backpressure** no more than `maxInFlight`, or `maxInFlightBytes`, unsettled; a walk remembers where it is and goes on from
 * there, 250 rows of the pending entries a command or fewer when it takes some, with a rest of 25 ms after those that hold nothing.
 * **Teardown** as `fromGroup`: `signal` drains, `unsubscribe` releases.
 * **When to use** beside consumers that do not claim themselves; `fromGroup` has this built in (`recover`).
 *
 * Sends XPENDING, XRANGE, XCLAIM and ZSCORE by script.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; a
 * missing group is waited for
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromClaims(redis, { stream: "orders", group: "shipping", minIdleMs: 60_000, everyMs: 15_000 })
 *   .pipe(retryToDLQ((order) => ship(order), { maxDeliveries: 5 }), bufferAck(), acknowledge(redis))
 *   .subscribe();
 * ```
 * @public
 */
export function fromClaims(redis: RedisClient, options: FromClaimsOptions): Observable<Delivery<Fields>>;
/** The same with the fields as bytes. @public */
export function fromClaims(
  redis: RedisClient,
  options: FromClaimsOptions<"buffer"> & { readonly payload: "buffer" },
): Observable<Delivery<BinaryFields>>;
export function fromClaims(redis: RedisClient, options: FromClaimsOptions<Payload>): Observable<Delivery<Fields | BinaryFields>> {
  const pace = { minIdleMs: durationMs("minIdleMs", options.minIdleMs, 100), everyMs: durationMs("everyMs", options.everyMs, 10) };
  return openSource(toPort(redis), sourceSettings(options, pace.minIdleMs), (session) => claimStale(session, pace));
}

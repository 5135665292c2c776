import { asyncScheduler, defer, ignoreElements, tap, type OperatorFunction } from "rxjs";
import { alongside } from "../flow/alongside.js";
import { holdBack, type PermitOffice } from "../flow/hold-back.js";
import { retryHindered } from "../flow/retry-hindered.js";
import { tracked } from "../flow/tracked.js";
import { durationMs, integer, oneOf, text } from "../model/check.js";
import { heldBy } from "../model/held-delivery.js";
import type { Flow } from "../model/settlement.js";
import { SlidingWindow, windowLimit, type WindowLimit } from "../model/sliding-window.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";
import type { StreamsPort } from "../redis/port.js";

/** Options of {@link rateLimit}. @public */
export interface RateLimitOptions {
  /** How many may pass in any window of `perMs`, 1 or more. */
  readonly limit: number;
  /** Length of the window, ms, 1 to 2 147 483 647. */
  readonly perMs: number;
  /** What the limit is for: this subscription. @defaultValue `"local"` */
  readonly scope?: "local" | undefined;
}

/** Options of {@link rateLimit} across processes. @public */
export interface SharedRateLimitOptions extends Omit<RateLimitOptions, "scope"> {
  /** What the limit is for: all consumers of the group together. */
  readonly scope: "group";
  /**
   * The Redis key that counts; name one to share the limit among streams, groups or services, with the same `limit` and `perMs`
   * everywhere. @defaultValue `{stream}:rate:<group>:<limit>per<perMs>`, one for each stream
   */
  readonly key?: string | undefined;
}

/**
 * Holds deliveries back, so that no more than `limit` pass in any window of `perMs`, wherever the window begins.
 *
 * ```text
 * source  --abcd-------------|      limit 2 per 10 ms
 * result  --ab--------cd-----|      the first `limit` pass at once, the next as soon as the window allows
 * ```
 *
 * Locally the limit is this subscription's. With `redis` and `scope: "group"` it is that of all consumers of the group: a script
 * counts on the server's clock, in one round trip for all that wait. For an even pace ask for `{ limit: 1, perMs: 10 }` instead
 * of 100 a second.
 *
 * **Guarantee** never more than `limit` in a window; up to a hundredth of `perMs` (1 ms at least) later than ideal. Permits are taken
 * for deliveries that wait, never in advance; one whose delivery was lost meanwhile, or whose answer got lost, is not used.
 * The shared limit counts when Redis grants: what a network or a busy event loop delays by t can come together with what is granted
 * t later. While Redis does not answer nothing passes; it is asked again until it does, and `status` reports it as stalled.
 * **Order** kept, for a shared limit within each stream. Decisions already taken pass at once.
 * **Backpressure** what is held is part of the source's window, and its lease is renewed; when the window is full, reading waits.
 * **Teardown** a drain lets pass what the limit allows until `drainTimeoutMs`, and the rest is released; `unsubscribe` releases all.
 *
 * Sends, for a shared limit only, EVALSHA (EVAL on first use) with TIME, HGETALL, HINCRBY, HDEL, PEXPIRE.
 *
 * @param redis - for `scope: "group"`: a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with what can't heal: with a shared limit `WrongTypeError`, `AccessError`, `CommandError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(
 *   rateLimit({ limit: 50, perMs: 1000 }), //                          this process: 50 a second
 *   rateLimit(redis, { limit: 200, perMs: 1000, scope: "group" }), //  all processes together: 200 a second
 *   retryToDLQ(ship, { maxDeliveries: 5 }),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export function rateLimit<A>(options: RateLimitOptions): OperatorFunction<Flow<A>, Flow<A>>;
export function rateLimit<A>(redis: RedisClient, options: SharedRateLimitOptions): OperatorFunction<Flow<A>, Flow<A>>;
export function rateLimit<A>(first: RateLimitOptions | RedisClient, second?: SharedRateLimitOptions): OperatorFunction<Flow<A>, Flow<A>> {
  if (second === undefined) return tracked("rateLimit", holdBack(localOffice(first as RateLimitOptions)));
  const port = toPort(first as RedisClient);
  oneOf("scope", second.scope, ["group"]);
  if (second.key !== undefined) text("key", second.key);
  return tracked("rateLimit", holdBack(sharedOffice(port, toLimit(second), second.key)));
}

const toLimit = ({ limit, perMs }: RateLimitOptions | SharedRateLimitOptions): WindowLimit =>
  windowLimit(integer("limit", limit, 1), durationMs("perMs", perMs, 1));

function localOffice(options: RateLimitOptions): () => PermitOffice {
  const limit = toLimit(options);
  if ((options.scope as string | undefined) === "group") {
    throw new TypeError(
      'Expected a Redis client as the first argument for `scope: "group"`: rateLimit(redis, { limit, perMs, scope: "group" })',
    );
  }
  oneOf("scope", options.scope ?? "local", ["local"]);
  return () => {
    const window = new SlidingWindow(limit);
    return { keyOf: () => "", permits: (_, wanted) => window.take(asyncScheduler.now(), wanted), close: () => undefined };
  };
}

function sharedOffice(port: StreamsPort, limit: WindowLimit, key: string | undefined): () => PermitOffice {
  return () => {
    const permits = port.openPermits();
    return {
      keyOf: ({ stream, group = "" }) => key ?? `${group} ${stream}`,
      permits: (first, wanted) => {
        const { origin } = heldBy(first);
        const ref = { stream: first.stream, group: first.group ?? "" };
        const request = { key, limit, wanted: Math.min(wanted, limit.limit) };
        const hindrances = permits.broken.pipe(
          tap(({ cause }) => origin.hindered(cause)), // else nobody would know why everything waits
          ignoreElements(),
        );
        return alongside(defer(() => permits.take(ref, request)).pipe(retryHindered(ref, origin)), hindrances);
      },
      close: () => permits.close(),
    };
  };
}

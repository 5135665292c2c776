import type { Observable } from "rxjs";
import type { PendingSummary } from "../model/pending.js";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";

/** Options of {@link pendingSummary}. @public */
export interface PendingSummaryOptions {
  readonly stream: string;
  readonly group: string;
}

/**
 * Emits how much is pending in a group, between which ids and for whom, once, and completes. In a missing group nothing is.
 *
 * **Guarantee** looks only, at one moment; its cost grows with the number of consumers, not with what is pending.
 * **Teardown** closes its connection. Sends XPENDING.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * pendingSummary(redis, { stream: "orders", group: "shipping" }).subscribe(({ count, consumers }) => console.log(count, [...consumers]));
 * ```
 * @see {@link fromPending}, for the entries
 * @public
 */
export function pendingSummary(redis: RedisClient, options: PendingSummaryOptions): Observable<PendingSummary> {
  const ref = groupRef(options);
  return ask(redis, ref, (admin) => admin.pendingSummary(ref));
}

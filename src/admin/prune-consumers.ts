import { reduce, type Observable } from "rxjs";
import { integer } from "../model/check.js";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";

/** Options of {@link pruneConsumers}. @public */
export interface PruneConsumersOptions {
  readonly stream: string;
  readonly group: string;
  /** A consumer that has not read for so long is dead, ms, 1 or more. Longer than any `blockMs` of the group's readers. */
  readonly idleMs: number;
}

/**
 * Removes the consumers of a group that are dead and own nothing: those that killed processes with made-up names have left behind.
 * Emits the names of the removed and completes.
 *
 * ```text
 * old-1 idle 1 h, owns nothing | old-2 idle 1 h, owns 5 | live idle 2 s   --["old-1"]|
 * ```
 *
 * **Guarantee** nothing is lost: a consumer that owns an entry stays, and the look and the deletion are one atomic step. Since
 * Redis 7.2 and on Valkey, idle is the time since a consumer last tried to read, so one that lives stays. Redis 7.0 knows only the time
 * since it last was given something: there one that waits at a quiet stream may be removed as well. It goes on waiting, and
 * is made again with the next entry it is given; only what XINFO CONSUMERS shows of it begins anew. Repeated until Redis has answered: names
 * in an answer that got lost are not emitted. 500 a step, until there are none; nothing to remove emits an empty list, a missing group too.
 * **Teardown** closes its connection; what was sent is done. Sends a script with XINFO CONSUMERS and XGROUP DELCONSUMER.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * pruneConsumers(redis, { stream: "orders", group: "shipping", idleMs: 3_600_000 }).subscribe((names) => console.log(names.length));
 * ```
 * @see {@link deleteConsumer}, for one that owns entries
 * @public
 */
export function pruneConsumers(redis: RedisClient, options: PruneConsumersOptions): Observable<readonly string[]> {
  const ref = groupRef(options);
  const idleMs = integer("idleMs", options.idleMs, 1);
  return ask(
    redis,
    ref,
    (admin) => admin.pruneConsumers(ref, idleMs),
    (names) => names.length > 0,
  ).pipe(reduce((all, names) => [...all, ...names]));
}

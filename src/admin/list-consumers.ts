import type { Observable } from "rxjs";
import type { ConsumerInfo } from "../model/group-info.js";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";

/** Options of {@link listConsumers}. @public */
export interface ListConsumersOptions {
  readonly stream: string;
  readonly group: string;
}

/**
 * Emits the consumers of a group as one list, in the order of their names, and completes. A missing group has none.
 *
 * **Guarantee** looks only, at one moment. Before Redis 7.2 a consumer is not there until it was given an entry, and idle says nothing
 * about whether it lives. **Teardown** closes its connection. Sends XINFO CONSUMERS.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * listConsumers(redis, { stream: "orders", group: "shipping" }).subscribe((consumers) => {
 *   for (const { name, pending, idleMs } of consumers) console.log(name, pending, idleMs);
 * });
 * ```
 * @public
 */
export function listConsumers(redis: RedisClient, options: ListConsumersOptions): Observable<readonly ConsumerInfo[]> {
  const ref = groupRef(options);
  return ask(redis, ref, (admin) => admin.listConsumers(ref));
}

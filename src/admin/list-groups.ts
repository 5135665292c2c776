import type { Observable } from "rxjs";
import { text } from "../model/check.js";
import type { GroupInfo } from "../model/group-info.js";
import type { RedisClient } from "../redis/client.js";
import { ask } from "./ask.js";

/** Options of {@link listGroups}. @public */
export interface ListGroupsOptions {
  readonly stream: string;
}

/**
 * Emits the consumer groups of a stream as one list, in the order of their names, and completes. A missing stream has none.
 *
 * **Guarantee** looks only, at one moment. The numbers are Redis' own; what it does not know is none and never 0.
 * **Teardown** closes its connection. Sends XINFO GROUPS.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * listGroups(redis, { stream: "orders" }).subscribe((groups) => {
 *   for (const { name, pending } of groups) console.log(name, pending);
 * });
 * ```
 * @public
 */
export function listGroups(redis: RedisClient, options: ListGroupsOptions): Observable<readonly GroupInfo[]> {
  const stream = text("stream", options.stream);
  return ask(redis, { stream }, (admin) => admin.listGroups(stream));
}

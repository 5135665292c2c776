import { map, type Observable } from "rxjs";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";
import { startOf } from "./start-of.js";

/** Options of {@link setGroupPosition}. @public */
export interface SetGroupPositionOptions {
  readonly stream: string;
  readonly group: string;
  /** The group is given what comes after this: `"0"` all that is there, `"$"` only what comes later, or an id. */
  readonly id: string;
  /** How many entries precede `id`, 0 or more, where you know: Redis can tell the lag then. @defaultValue unknown to Redis, but for `"0"` and `"$"` */
  readonly entriesRead?: number | undefined;
}

/**
 * Moves a group forwards, to skip, or backwards, to be given entries again; emits what happened and completes.
 *
 * ```text
 * there is one   --"set"|
 * no such group  --"absent"|
 * ```
 *
 * **Guarantee** what is pending stays pending. After a move backwards it is delivered again like the rest: an entry that is
 * pending then goes to its new reader, and its delivery count begins at 1. A reader that is blocked notices at its next
 * read, or with the next entry. The same call a second time changes nothing. **Teardown** closes its connection; what was sent is
 * done. Sends XGROUP SETID.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`; else it waits for
 * Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * setGroupPosition(redis, { stream: "orders", group: "billing", id: "1526919030474-0" }).subscribe((what) => console.log(what));
 * ```
 * @see {@link createGroup}
 * @public
 */
export function setGroupPosition(redis: RedisClient, options: SetGroupPositionOptions): Observable<"set" | "absent"> {
  const ref = groupRef(options);
  const start = startOf("id", options.id, options.entriesRead);
  return ask(redis, ref, (admin) => admin.setGroupPosition(ref, start)).pipe(map((isThere) => (isThere ? "set" : "absent")));
}

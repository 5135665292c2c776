import { map, type Observable } from "rxjs";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";
import { startOf } from "./start-of.js";

/** Options of {@link createGroup}. @public */
export interface CreateGroupOptions {
  /** The stream; it is made, empty, when it is missing. */
  readonly stream: string;
  readonly group: string;
  /** The group is given what comes after this: `"0"` all that is there, `"$"` only what comes later, or an id. Always said, because either surprises someone. */
  readonly startId: string;
  /** How many entries precede `startId`, 0 or more, where you know: Redis can tell the lag then. @defaultValue unknown to Redis, but for `"0"` and `"$"` */
  readonly entriesRead?: number | undefined;
}

/**
 * Makes a consumer group, and its stream when it is missing; emits what happened and completes.
 *
 * ```text
 * no such group  --"created"|
 * there was one  --"existed"|
 * ```
 *
 * **Guarantee** a group that exists stays as and where it is, whatever `startId` says ({@link setGroupPosition} moves it), so each
 * deployment may call this. Repeated until Redis has answered: when the first answer got lost, the second is `"existed"`.
 * **Teardown** closes its connection; what was sent is done. Sends XGROUP CREATE … MKSTREAM.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`; else it waits for
 * Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * createGroup(redis, { stream: "orders", group: "billing", startId: "0" }).subscribe((what) => console.log(what));
 * ```
 * @public
 */
export function createGroup(redis: RedisClient, options: CreateGroupOptions): Observable<"created" | "existed"> {
  const ref = groupRef(options);
  const start = startOf("startId", options.startId, options.entriesRead);
  return ask(redis, ref, (admin) => admin.createGroup(ref, start)).pipe(map((isNew) => (isNew ? "created" : "existed")));
}

import { map, type Observable } from "rxjs";
import { oneOf } from "../model/check.js";
import { streamName } from "../model/keys.js";
import type { RedisClient } from "../redis/client.js";
import { ask, groupRef } from "./ask.js";

/** Options of {@link destroyGroup}. @public */
export interface DestroyGroupOptions {
  readonly stream: string;
  readonly group: string;
  /** What becomes of its dead letters, those in the stream that `deadLetterKey` names. @defaultValue `"keep"` */
  readonly deadLetters?: "keep" | "delete" | undefined;
}

/**
 * Removes a group with what it has pending and its schedule of retries; emits what happened and completes.
 *
 * ```text
 * there was one  --"destroyed"|
 * no such group  --"absent"|
 * ```
 *
 * **Guarantee** one atomic step. The stream and its entries stay; who read them and who did not is forgotten. What an earlier
 * deletion of the stream has left of the group is removed as well. Repeated until Redis has answered: when the first answer got
 * lost, the second is `"absent"`. Stop its pipelines before: a `fromGroup` that runs makes the group again. Takes the server
 * longer the more is pending. **Teardown** closes its connection; what was sent is done. Sends a script with XGROUP DESTROY and UNLINK.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`; else it waits for
 * Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * destroyGroup(redis, { stream: "orders", group: "last-year" }).subscribe((what) => console.log(what));
 * ```
 * @public
 */
export function destroyGroup(redis: RedisClient, options: DestroyGroupOptions): Observable<"destroyed" | "absent"> {
  const { deadLetters = "keep" } = options;
  const ref = groupRef(options);
  streamName("stream", ref.stream);
  oneOf("deadLetters", deadLetters, ["keep", "delete"]);
  return ask(redis, ref, (admin) => admin.destroyGroup(ref, deadLetters)).pipe(map((wasThere) => (wasThere ? "destroyed" : "absent")));
}

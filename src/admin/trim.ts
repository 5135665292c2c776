import { reduce, type Observable } from "rxjs";
import { relation, text } from "../model/check.js";
import { toRetention } from "../model/retention.js";
import type { RedisClient } from "../redis/client.js";
import { ask } from "./ask.js";

/** Options of {@link trim}: `maxLen` or `minId`. @public */
export type TrimOptions = {
  readonly stream: string;
  /** Whether to trim to the entry; if not, whole nodes (100 entries) are removed, which costs the server next to nothing. @defaultValue `false` */
  readonly exact?: boolean | undefined;
} & (
  | {
      /** How many entries to keep, 0 or more; the oldest go. */
      readonly maxLen: number;
      readonly minId?: undefined;
    }
  | {
      readonly maxLen?: undefined;
      /** Entries with lower ids go: `"<ms>-<seq>"` or `"<ms>"`. */
      readonly minId: string;
    }
);

/**
 * Removes the oldest entries of a stream, by length or by age, whatever groups have done with them; emits how many went, and completes.
 *
 * **Guarantee** none for groups: what they have not handled goes as well, and what was pending is reported as `tombstone`. A
 * missing stream has nothing to remove. Repeated until Redis has answered: what went with an answer that got lost is not counted.
 * **Backpressure** steps of about 2000 entries, each below 5 ms of the server. **Teardown** closes its connection; what was
 * sent is done. Sends XTRIM.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * trim(redis, { stream: "orders", minId: String(Date.now() - 7 * 86_400_000) }).subscribe((removed) => console.log(removed));
 * ```
 * @see {@link trimAcked}, which keeps what a group still needs
 * @public
 */
export function trim(redis: RedisClient, options: TrimOptions): Observable<number> {
  const { exact = false } = options;
  const stream = text("stream", options.stream);
  const retention = toRetention(options, exact)();
  relation(retention !== undefined, "Expected one of `maxLen` and `minId`, got none");
  return ask(
    redis,
    { stream },
    (admin) => admin.trim(stream, retention!),
    (removed) => removed > 0,
  ).pipe(reduce((all, removed) => all + removed));
}

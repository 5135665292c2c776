import { map, of, reduce, repeat, switchMap, timer, type Observable } from "rxjs";
import { durationMs, flag, text } from "../model/check.js";
import type { EntryId } from "../model/entry-id.js";
import { streamName } from "../model/keys.js";
import type { RedisClient } from "../redis/client.js";
import type { TrimRequest, TrimStep } from "../redis/port.js";
import { ask } from "./ask.js";

/** Options of {@link trimAcked}. @public */
export interface TrimAckedOptions {
  readonly stream: string;
  /** Trim again so long after each time, ms, 100 or more. @defaultValue once */
  readonly everyMs?: number | undefined;
  /** Remove nothing, and count what would go. @defaultValue `false` */
  readonly dryRun?: boolean | undefined;
  /**
   * A group is dead, and is not waited for, when it has consumers and none of them gave a sign of life for so long, ms, 1000 or more. Longer
   * than any `leaseMs`, and than any pause you make on purpose: what a dead group has not handled goes. @defaultValue no group is dead
   */
  readonly deadGroupAfterMs?: number | undefined;
}

/** What was trimmed, and what holds the rest. @public */
export interface TrimReport {
  readonly stream: string;
  /** How many entries went or, with `dryRun`, would go. */
  readonly removed: number;
  readonly isDryRun: boolean;
  /** Entries from this id on are kept; undefined when nothing may go: there is no live group, or no stream. */
  readonly keptFrom: EntryId | undefined;
  /** The group that has not acknowledged `keptFrom`; undefined when all groups have acknowledged everything. */
  readonly heldBy: string | undefined;
  /** Dead groups that had not acknowledged what went. */
  readonly deadGroups: readonly string[];
}

/**
 * Removes the entries that every live group has acknowledged, and emits what went and which group holds the rest; once, or again and again.
 *
 * ```text
 * stream      1 2 3 4 5 6 7 8
 * shipping    a a a p a . . .     a acknowledged, p pending (in flight, failed, waiting for a retry), . not given yet
 * billing     a a a a a a p .
 * result      --{ removed: 3, keptFrom: 4, heldBy: "shipping" }|
 * ```
 *
 * **Guarantee** nothing goes that a live group has pending or has not been given: the look and the removal are one atomic step. So an entry
 * that waits for its retry stays, and a new group that has read nothing keeps everything. A stream without a live group is left alone. A
 * group without consumers is never dead: `destroyGroup` removes one that nobody needs. On Redis 7.0, which only knows when a consumer was last given
 * something, a group is dead only if it has work waiting for that long. `dryRun` counts at one moment. Repeated until Redis has
 * answered: what went with an answer that got lost is not counted. Readers without a group, and stored positions, are not known to Redis.
 * **Backpressure** steps of about 2000 entries, each below 5 ms of the server. **Teardown** closes its connection; what was sent is done.
 * Sends XINFO GROUPS and a script with XPENDING, XINFO, XREVRANGE, XTRIM; with `dryRun` one with XRANGE.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * trimAcked(redis, { stream: "orders", dryRun: true }).subscribe(({ removed, heldBy }) => console.log(removed, heldBy));
 * ```
 * @see {@link trim}, by length or age, whatever groups have done
 * @public
 */
export function trimAcked(redis: RedisClient, options: TrimAckedOptions): Observable<TrimReport> {
  const { everyMs, dryRun: isDryRun = false, deadGroupAfterMs } = options;
  const stream = streamName("stream", text("stream", options.stream));
  flag("dryRun", isDryRun);
  if (everyMs !== undefined) durationMs("everyMs", everyMs, 100);
  if (deadGroupAfterMs !== undefined) durationMs("deadGroupAfterMs", deadGroupAfterMs, 1_000, Number.MAX_SAFE_INTEGER);
  const request: TrimRequest = { deadGroupAfterMs, isDryRun };
  const trimmed = ask(
    redis,
    { stream },
    (admin) => admin.trimAcked(stream, request),
    ({ removed }) => removed > 0,
  ).pipe(reduce(together));
  const counted = isDryRun ? trimmed.pipe(switchMap((step) => counting(redis, stream, step))) : trimmed;
  const reports = counted.pipe(map(({ keepFrom, ...step }): TrimReport => ({ stream, isDryRun, keptFrom: keepFrom, ...step })));
  return everyMs === undefined ? reports : reports.pipe(repeat({ delay: () => timer(everyMs) }));
}

const together = (all: TrimStep, step: TrimStep): TrimStep => ({
  ...step,
  removed: all.removed + step.removed,
  deadGroups: [...new Set([...all.deadGroups, ...step.deadGroups])],
});

function counting(redis: RedisClient, stream: string, step: TrimStep): Observable<TrimStep> {
  const { keepFrom } = step;
  if (keepFrom === undefined) return of(step);
  let cursor = "-";
  return ask(
    redis,
    { stream },
    (admin) => admin.countBefore(stream, keepFrom, cursor),
    (page) => {
      cursor = page.cursor ?? "-";
      return page.cursor !== undefined;
    },
  ).pipe(
    reduce((count, page) => count + page.count, 0),
    map((removed) => ({ ...step, removed })),
  );
}

import { defer, map, type Observable, type Observer } from "rxjs";
import { inspectEvery } from "../flow/inspect-every.js";
import { surveyGroups } from "../flow/survey-groups.js";
import { durationMs, integer, text } from "../model/check.js";
import type { GroupFacts } from "../model/group-facts.js";
import { observe, type GroupSnapshot, type Observed } from "../model/group-snapshot.js";
import { streamName } from "../model/keys.js";
import type { SourceStatus } from "../model/status.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link watchGroups}. @public */
export interface WatchGroupsOptions {
  /** The stream's key. */
  readonly stream: string;
  /** How long to wait after the snapshots before the next are taken, ms, 10 or more. */
  readonly everyMs: number;
  /** How many snapshots a verdict is based on, 2 to 1 000. @defaultValue `10` */
  readonly window?: number | undefined;
  /**
   * How many unread entries may be read per tick to count them, as with {@link watchGroup}; the groups that need it share it.
   * 0 to 100 000. @defaultValue `10000`
   */
  readonly countLimit?: number | undefined;
  /** Hears of `reconnecting`: snapshots that failed and are tried again. */
  readonly status?: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/**
 * Emits how all groups of a stream do, by name, at once and then `everyMs` after each time.
 *
 * ```text
 * groups  a     a b   b     b
 * result  {a}---{ab}--{ab}--{b}--    - everyMs; the a that went is there once more, with presence "noGroup"
 * ```
 *
 * Groups that come are in the next map. One that goes is once more in it, its `presence` `"noGroup"` or, with its stream,
 * `"noStream"`. The map is empty when the stream has no group or does not exist.
 *
 * **Guarantee** that of {@link watchGroup}, for each. **Order** that of time; within a map, that of Redis. **Backpressure** one
 * snapshot of each group at a time. **Teardown** closes its connection. Sends TIME, XINFO STREAM and XINFO GROUPS in one round trip,
 * then XINFO CONSUMERS, XPENDING, ZCARD, ZRANGE and XLEN for each group in another, and where it counts an XRANGE per 1 000 unread
 * entries. Dead letters are those at `{stream}:dlq:<group>`.
 *
 * @returns a cold Observable that never completes, and errors only with what can't heal: `WrongTypeError`, `AccessError`,
 * `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * watchGroups(redis, { stream: "orders", everyMs: 5_000 }).subscribe((groups) => {
 *   for (const { group, verdict, pending } of groups.values()) console.log(group, verdict, pending);
 * });
 * ```
 * @see {@link watchGroup} for one
 * @public
 */
export function watchGroups(redis: RedisClient, options: WatchGroupsOptions): Observable<ReadonlyMap<string, GroupSnapshot>> {
  const { stream, everyMs, window = 10, countLimit = 10_000, status } = options;
  streamName("stream", text("stream", stream));
  durationMs("everyMs", everyMs, 10);
  integer("window", window, 2, 1_000);
  integer("countLimit", countLimit, 0, 100_000);
  const port = toPort(redis);
  return defer(() => {
    let watched: ReadonlyMap<string, Observed> = new Map();
    const next = (group: string, facts: GroupFacts): Observed =>
      observe(watched.get(group)?.window ?? [], { stream, group }, facts, window);
    return inspectEvery(port, { stream, everyMs, status }, (inspection) =>
      surveyGroups(inspection, stream, [...present(watched)], countLimit),
    ).pipe(
      map((found) => {
        watched = new Map([...found].map(([group, facts]) => [group, next(group, facts)]));
        return new Map([...watched].map(([group, { newest }]) => [group, newest]));
      }),
    );
  });
}

/** Those that were there the last time. */
const present = (watched: ReadonlyMap<string, Observed>): readonly string[] =>
  [...watched].flatMap(([group, { newest }]) => (newest.presence === "group" ? [group] : []));

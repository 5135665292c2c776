import { defer, map, type Observable, type Observer } from "rxjs";
import { inspectEvery } from "../flow/inspect-every.js";
import { surveyGroup } from "../flow/survey-groups.js";
import { durationMs, integer, text } from "../model/check.js";
import { observe, type GroupSnapshot } from "../model/group-snapshot.js";
import { streamName } from "../model/keys.js";
import type { SourceStatus } from "../model/status.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link watchGroup}. @public */
export interface WatchGroupOptions {
  /** The stream's key. */
  readonly stream: string;
  readonly group: string;
  /** How long to wait after a snapshot before the next is taken, ms, 10 or more. */
  readonly everyMs: number;
  /** How many snapshots the verdict is based on, 2 to 1 000. @defaultValue `10` */
  readonly window?: number | undefined;
  /**
   * How many unread entries may be read per snapshot to count them, where Redis' own lag is missing or can't be relied upon, 0 to
   * 100 000. Fewer are counted where entries are large: 4 MB at most. @defaultValue `10000`
   */
  readonly countLimit?: number | undefined;
  /** Where the group's dead letters are. @defaultValue `{stream}:dlq:<group>` */
  readonly deadLetterStream?: string | undefined;
  /** Hears of `reconnecting`: a snapshot that failed and is tried again. */
  readonly status?: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/**
 * Emits how a group does, at once and then `everyMs` after each snapshot: lag, pending entries, consumers, rates and a verdict.
 *
 * ```text
 * result   a-----b-----c----(x)--d--    - everyMs; x Redis can't be reached: status hears of it, no snapshot until it can
 * verdict  ok    ok    stalled   ok     of the last `window` snapshots
 * ```
 *
 * A group or stream that does not exist is no error: `presence` says so, and the group is watched as soon as it is there.
 *
 * The lag is Redis' own where that is right. It is counted where Redis has none (XGROUP SETID, XDEL of unread entries) or can be
 * wrong: up to 7.4.3 it includes what was trimmed before it was read. It is exact for a group at the end of its stream or before
 * its beginning, for a stream of which nothing was removed, and with fewer than `countLimit` unread entries. Beyond these it is
 * Redis' word, or none with `lagSource: "unknown"`, never 0.
 *
 * **Guarantee** looks only: nothing is changed. Times are the server's. Everything is read from a master; the commands follow one
 * another at once, but not atomically, so that numbers may differ by what happened in between. **Order** that of time.
 * **Backpressure** one snapshot at a time; about 1 000 rows of pending entries and, where it counts, 1 000 entries per command.
 * **Teardown** closes its connection. Sends TIME, XINFO STREAM, XINFO GROUPS, XINFO CONSUMERS, XPENDING, ZCARD, ZRANGE and XLEN in
 * one round trip, and where it counts an XRANGE per 1 000 unread entries.
 *
 * @returns a cold Observable that never completes, and errors only with what can't heal: `WrongTypeError`, `AccessError`,
 * `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * const watch = watchGroup(redis, { stream: "orders", group: "shipping", everyMs: 5_000 });
 * watch.subscribe(({ verdict, lag, pending }) => {
 *   if (verdict !== "ok") console.log(verdict, "lag", lag._tag === "Some" ? lag.value : "unknown", "pending", pending);
 * });
 * ```
 * @see {@link watchGroups} for all groups of a stream
 * @public
 */
export function watchGroup(redis: RedisClient, options: WatchGroupOptions): Observable<GroupSnapshot> {
  const { stream, group, everyMs, window = 10, countLimit = 10_000, deadLetterStream, status } = options;
  streamName("stream", text("stream", stream));
  text("group", group);
  durationMs("everyMs", everyMs, 10);
  integer("window", window, 2, 1_000);
  integer("countLimit", countLimit, 0, 100_000);
  if (deadLetterStream !== undefined) text("deadLetterStream", deadLetterStream);
  const port = toPort(redis);
  const ref = { stream, group };
  return defer(() => {
    let snapshots: readonly GroupSnapshot[] = [];
    return inspectEvery(port, { stream, everyMs, status }, (inspection) =>
      surveyGroup(inspection, ref, { deadLetterStream, countLimit }),
    ).pipe(
      map((facts) => {
        const { window: next, newest } = observe(snapshots, ref, facts, window);
        snapshots = next;
        return newest;
      }),
    );
  });
}

import {
  asyncScheduler,
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  of,
  repeat,
  takeWhile,
  tap,
  type Observable,
  type Observer,
} from "rxjs";
import { retryTransient } from "../flow/retry-transient.js";
import { durationMs, integer, relation, text } from "../model/check.js";
import { entryId, EntryIdOrd, type EntryId } from "../model/entry-id.js";
import type { PendingEntry, PendingSnapshot } from "../model/pending.js";
import type { SourceStatus } from "../model/status.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";
import type { GroupRef, PendingRequest, StreamAdmin } from "../redis/port.js";

/** Options of {@link fromPending}. @public */
export interface FromPendingOptions {
  readonly stream: string;
  readonly group: string;
  /** Only what this consumer owns. @defaultValue everybody's */
  readonly consumer?: string | undefined;
  /** Only what is idle for so long, ms, 0 or more; what has no owner always is. @defaultValue `0` */
  readonly minIdleMs?: number | undefined;
  /** The first id. @defaultValue the least */
  readonly start?: EntryId | undefined;
  /** The last id. @defaultValue the greatest */
  readonly end?: EntryId | undefined;
  /** Rows per command, 1 to 10 000. @defaultValue `500` */
  readonly pageSize?: number | undefined;
  /** Scan again for ever, with so long a rest after each scan, ms, 10 or more. @defaultValue one scan */
  readonly everyMs?: number | undefined;
  /** Hears of `reconnecting`: a page that could not be read and is asked for again. */
  readonly status?: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/**
 * Emits what is pending in a group: delivered, and not acknowledged. Completes at its end.
 *
 * ```text
 * pending   a b c          b c d
 * result    --abc|
 * everyMs   --abcS---------bcdS---    S: { _tag: "PendingSnapshot", count: 3, at }
 * ```
 *
 * **Guarantee** looks only: nothing is claimed, no idle time and no delivery count changes. A scan is not one moment: what is
 * acknowledged or delivered while it goes on may be in it or not; what is pending all the time is in it once. With `everyMs` each
 * scan ends with a {@link PendingSnapshot}. A missing group, or stream, has nothing pending.
 * **Order** that of the ids. **Backpressure** none: a page is emitted in one loop; `pageSize` bounds it. `minIdleMs` is applied here: asked
 * for idle entries, Redis would walk through all that is pending in one go, and answer nobody meanwhile.
 * **Teardown** closes its connection. Sends XPENDING, pages of it; after trouble it goes on where it was.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromPending(redis, { stream: "orders", group: "shipping", minIdleMs: 60_000 }).subscribe(({ id, consumer, deliveryCount }) =>
 *   console.log(id, consumer ?? "nobody's", deliveryCount),
 * );
 * ```
 * @see {@link pendingSummary}, which only counts
 * @public
 */
export function fromPending(redis: RedisClient, options: FromPendingOptions & { readonly everyMs?: undefined }): Observable<PendingEntry>;
export function fromPending(redis: RedisClient, options: FromPendingOptions): Observable<PendingEntry | PendingSnapshot>;
export function fromPending(redis: RedisClient, options: FromPendingOptions): Observable<PendingEntry | PendingSnapshot> {
  const { minIdleMs = 0, everyMs, status } = options;
  const ref = { stream: text("stream", options.stream), group: text("group", options.group) };
  const request = firstPage(options);
  integer("minIdleMs", minIdleMs, 0);
  if (everyMs !== undefined) durationMs("everyMs", everyMs, 10);
  const port = toPort(redis);
  return defer(() => {
    const admin = port.openAdmin();
    const scan$ = scanOf(admin, ref, request, status).pipe(filter(({ idleMs }) => idleMs >= minIdleMs));
    const scans$ = everyMs === undefined ? scan$ : withSnapshot(scan$).pipe(repeat({ delay: everyMs }));
    return scans$.pipe(finalize(() => admin.close()));
  });
}

/** Checks the options that say which entries. */
function firstPage({ consumer, start, end, pageSize = 500 }: FromPendingOptions): PendingRequest {
  if (consumer !== undefined) text("consumer", consumer);
  if (start !== undefined) entryId("start", start);
  if (end !== undefined) entryId("end", end);
  relation(
    start === undefined || end === undefined || EntryIdOrd.compare(start, end) <= 0,
    `Expected \`start\` to be no later than \`end\`, got \`${start ?? ""}\` and \`${end ?? ""}\``,
  );
  return { consumer, start: start ?? "-", end: end ?? "+", count: integer("pageSize", pageSize, 1, 10_000) };
}

function scanOf(admin: StreamAdmin, ref: GroupRef, first: PendingRequest, status: FromPendingOptions["status"]): Observable<PendingEntry> {
  return defer(() => {
    let { start } = first;
    return defer(() => admin.pendingPage(ref, { ...first, start })).pipe(
      retryTransient(ref, status),
      tap((entries) => (start = `(${entries.at(-1)?.id ?? ""}`)),
      repeat(),
      takeWhile((entries) => entries.length === first.count, true),
      concatMap((entries) => entries),
    );
  });
}

function withSnapshot(scan$: Observable<PendingEntry>): Observable<PendingEntry | PendingSnapshot> {
  return defer(() => {
    let count = 0;
    const end$ = defer(() => of<PendingSnapshot>({ _tag: "PendingSnapshot", count, at: asyncScheduler.now() }));
    return concat(scan$.pipe(tap(() => (count += 1))), end$);
  });
}

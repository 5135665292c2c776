import { concatMap, defer, EMPTY, expand, finalize, timer, type Observable, type Observer } from "rxjs";
import { Pager } from "../flow/pager.js";
import { retryTransient } from "../flow/retry-transient.js";
import { durationMs, flag, integer, payloadKind, text } from "../model/check.js";
import { toDeadLetter, type DeadLetter } from "../model/dead-letter.js";
import { entryId, type EntryId } from "../model/entry-id.js";
import type { BinaryFields, Fields } from "../model/fields.js";
import { streamName } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import type { SourceStatus } from "../model/status.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";
import type { RawEntry } from "../redis/port.js";

/**
 * Options of {@link fromDeadLetters}.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface FromDeadLettersOptions<P extends Payload = "string"> {
  /** The stream the entries came from. */
  readonly stream: string;
  /** The group that failed. @defaultValue none: the dead letters of what was read without a group */
  readonly group?: string | undefined;
  /** Where its dead letters are. @defaultValue `{stream}:dlq:<group>`, without a group `{stream}:dlq` */
  readonly deadLetterStream?: string | undefined;
  /** Begin after this id of the dead-letter stream. @defaultValue its beginning */
  readonly after?: EntryId | undefined;
  /** Whether to go on with those that come later, instead of completing. @defaultValue `false` */
  readonly live?: boolean | undefined;
  /** How often to look for more with `live`, ms, 10 or more. @defaultValue `1000` */
  readonly everyMs?: number | undefined;
  /** Entries per command, 1 to 10 000. @defaultValue `100` */
  readonly pageSize?: number | undefined;
  /** Hears of `reconnecting`: a page that could not be read and is asked for again. */
  readonly status?: Pick<Observer<SourceStatus>, "next"> | undefined;
  /** `"string"`: what they held as text. `"buffer"`: byte for byte. @defaultValue `"string"`, in which what is no UTF-8 is lost */
  readonly payload?: P | undefined;
}

/**
 * Emits the dead letters of a group, oldest first, each with its reason, its origin and what it held; completes at their end.
 *
 * ```text
 * dead letters  a b c        .      d
 * result        --abc|
 * live: true    --abc--------.------d-
 * ```
 *
 * **Guarantee** looks only: nothing is removed or acknowledged; what was trimmed from the dead-letter stream is not seen.
 * **Order** that in which they were moved. **Backpressure** none: a page is emitted in one loop; `pageSize` bounds it.
 * **Teardown** closes its connection. Sends XRANGE.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromDeadLetters(redis, { stream: "orders", group: "shipping" }).subscribe(({ origin, cause }) => console.log(origin.id, cause.message));
 * ```
 * @public
 */
export function fromDeadLetters(redis: RedisClient, options: FromDeadLettersOptions): Observable<DeadLetter>;
/** The same with the fields as bytes. @public */
export function fromDeadLetters(
  redis: RedisClient,
  options: FromDeadLettersOptions<"buffer"> & { readonly payload: "buffer" },
): Observable<DeadLetter<BinaryFields>>;
export function fromDeadLetters(
  redis: RedisClient,
  options: FromDeadLettersOptions<Payload>,
): Observable<DeadLetter<Fields | BinaryFields>> {
  const { stream, group = "", deadLetterStream, after, live = false, everyMs = 1_000, pageSize = 100, status } = options;
  const payload = payloadKind(options.payload);
  streamName("stream", text("stream", stream));
  if (options.group !== undefined) text("group", options.group);
  if (deadLetterStream !== undefined) text("deadLetterStream", deadLetterStream);
  flag("live", live);
  durationMs("everyMs", everyMs, 10);
  if (after !== undefined) entryId("after", after);
  integer("pageSize", pageSize, 1, 10_000);
  const port = toPort(redis);
  const ref = { stream, group };
  return defer(() => {
    const commands = port.openCommands(payload);
    const pager = new Pager((last, count) => commands.deadLetters(ref, { stream: deadLetterStream, after: last, count }), after);
    const page = pager.next(pageSize).pipe(retryTransient(ref, status));
    const next = (): Observable<readonly RawEntry[]> => (!pager.isAtEnd ? page : live ? timer(everyMs).pipe(concatMap(() => page)) : EMPTY);
    return page.pipe(
      expand(next),
      concatMap((entries) => entries.map(([id, pairs]) => toDeadLetter(stream, group, id, pairs ?? []))),
      finalize(() => commands.close()),
    );
  });
}

import type { Observable } from "rxjs";
import { keepCheckpoint } from "../flow/keep-checkpoint.js";
import { openGroupless } from "../flow/open-groupless.js";
import { TailPosition } from "../flow/tail-position.js";
import { tailSettings, type FromStreamOptions } from "../flow/tail-settings.js";
import { tailStream } from "../flow/tail-stream.js";
import type { Delivery } from "../model/delivery.js";
import type { BinaryFields, Fields } from "../model/fields.js";
import type { Payload } from "../model/payload.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/**
 * Emits the entries of a stream as they are added, without a group: each subscription is given all of them.
 *
 * ```text
 * stream      a b c d e f        entries
 * deliveries  --abc---de---f     maxInFlight 3: d comes when one of a, b, c is settled
 * settled     ----b--ac----de
 * checkpoint  --------c-----e    everything up to there is settled; never beyond a
 * ```
 *
 * The same operators and sinks follow as after `fromGroup`. `group` and `consumer` are undefined. Redis keeps no list of what is
 * unsettled, so this source does: a `Retry` is delivered again here when its delay is over, its `deliveryCount` one higher, and keeps
 * its place in the window until then; a `Release` comes again after 100 ms, counted as before. A `DeadLetter` goes to
 * `deadLetterKey(stream)`, or where `acknowledge` is told; an `Ack` writes nothing, whatever its `mode`.
 *
 * **Guarantee** with a checkpoint at least once: it is the id up to which everything is settled, it is written every `everyMs` while it
 * moves and at the end, and it only moves forward, also when two readers use one name. A crash repeats what was settled after the last
 * write or was unsettled, its `deliveryCount` 1 again. Without a checkpoint nothing outlives the subscription. In either case a lost
 * connection loses and repeats nothing: reading goes on after the last id that was given, and `"$"` is turned into the id it means at
 * the start.
 * **Order** that of the stream; what is delivered again comes when it is due.
 * **Backpressure** a read asks for no more than `maxInFlight` minus what is unsettled, and than fits into
 * `maxInFlightBytes`.
 * **Teardown** `signal`: stops reading, completes when the last delivery is settled, retries that are due within `drainTimeoutMs` included;
 * then, and after `unsubscribe` or an error, the checkpoint is written once more.
 * **When to use** for a projection or a log, where every process is to see every entry. To share entries among processes, to keep a
 * retry through a restart, or to put aside what kills its process, use `fromGroup`.
 *
 * A missing stream is waited for. A stream that ends before the place where this source was (deleted and made anew, or set back by a
 * failover) is reported as `rewound` and read after the stored checkpoint, or where that is beyond the end, too, or there is none,
 * from its beginning. Entries that were deleted or trimmed before they were read are reported as `gap`, as far as the server
 * can tell when reading begins and after each lost connection.
 *
 * Sends XREAD on a connection of its own; XINFO STREAM, GET and, by script, SET on another.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @param options - see {@link FromStreamOptions}
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromStream(redis, { stream: "orders", from: { checkpoint: "search-index", startId: "0" }, signal: drainOn("SIGTERM") })
 *   .pipe(retryToDLQ((order) => ship(order), { maxDeliveries: 5 }), bufferAck(), acknowledge(redis))
 *   .subscribe();
 * ```
 * @see {@link fromRange} for what is there already, and {@link checkpointKey} for where the checkpoint is
 * @public
 */
export function fromStream(redis: RedisClient, options: FromStreamOptions): Observable<Delivery<Fields>>;
/** The same with the fields as bytes. @public */
export function fromStream(
  redis: RedisClient,
  options: FromStreamOptions<"buffer"> & { readonly payload: "buffer" },
): Observable<Delivery<BinaryFields>>;
export function fromStream(redis: RedisClient, options: FromStreamOptions<Payload>): Observable<Delivery<Fields | BinaryFields>> {
  return openGroupless(toPort(redis), tailSettings(options), (session) => {
    const position = new TailPosition(session);
    return { bring: tailStream(session, position), upkeep: keepCheckpoint(session, position), save: position.save() };
  });
}

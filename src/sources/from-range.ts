import { EMPTY, type Observable } from "rxjs";
import { openGroupless } from "../flow/open-groupless.js";
import { rangeSettings, type FromRangeOptions } from "../flow/range-settings.js";
import { readRange } from "../flow/read-range.js";
import type { Delivery } from "../model/delivery.js";
import type { BinaryFields, Fields } from "../model/fields.js";
import type { Payload } from "../model/payload.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/**
 * Emits the entries of a range, oldest or newest first, without a group, and completes when the last one is settled.
 *
 * ```text
 * stream      a b c d e
 * deliveries  --abc---de----|    maxInFlight 3: the next page is read when there is credit
 * settled     -----ab---cde
 * reverse     --edc---ba----|
 * ```
 *
 * The same pipeline that handles a stream replays its history: `group` and `consumer` are undefined, a `Retry` is delivered again here
 * when its delay is over, a `DeadLetter` goes to `deadLetterKey(stream)`, and an `Ack` writes nothing. A range by time goes by the ids:
 * `start: new Date("2026-01-01")` begins at `<ms>-0`, `end` of a time is the last id of that ms.
 *
 * **Guarantee** every entry that is in the range all the time is delivered until it is settled, as long as the subscription lives;
 * nothing is remembered beyond. Oldest first, entries that are added while it reads and lie in the range are included, so that with
 * `end: "+"` it completes when it has caught up; newest first, they are not. A missing stream is empty.
 * **Order** by id; what is delivered again comes when it is due.
 * **Backpressure** a page asks for no more than `maxInFlight` minus what is unsettled, and than fits into
 * `maxInFlightBytes`.
 * **Teardown** `signal`: reads no further, completes when what is in flight is settled, after `drainTimeoutMs` at the latest.
 *
 * Sends XRANGE or XREVRANGE to a master; after trouble it goes on where it was.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @param options - see {@link FromRangeOptions}
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromRange(redis, { stream: "orders", start: Date.now() - 3_600_000 }) // the last hour
 *   .pipe(retryToDLQ((order) => ship(order), { maxDeliveries: 3 }), bufferAck(), acknowledge(redis))
 *   .subscribe();
 * ```
 * @see {@link fromStream}, which goes on with what is added
 * @public
 */
export function fromRange(redis: RedisClient, options: FromRangeOptions): Observable<Delivery<Fields>>;
/** The same with the fields as bytes. @public */
export function fromRange(
  redis: RedisClient,
  options: FromRangeOptions<"buffer"> & { readonly payload: "buffer" },
): Observable<Delivery<BinaryFields>>;
export function fromRange(redis: RedisClient, options: FromRangeOptions<Payload>): Observable<Delivery<Fields | BinaryFields>> {
  return openGroupless(toPort(redis), rangeSettings(options), (session) => ({ bring: readRange(session), upkeep: EMPTY, save: EMPTY }));
}

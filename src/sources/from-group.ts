import type { Observable } from "rxjs";
import { groupSettings, type FromGroupOptions } from "../flow/group-settings.js";
import { openSource } from "../flow/open-source.js";
import { readGroups } from "../flow/read-groups.js";
import type { Delivery } from "../model/delivery.js";
import type { BinaryFields, Fields } from "../model/fields.js";
import type { Payload } from "../model/payload.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/**
 * Emits the entries of a stream that Redis gives to this consumer of a group: new ones, its own that nobody settled, those
 * another consumer left behind, and retries that are due.
 *
 * ```text
 * stream     a b c d e f            entries
 * deliveries --abc------de---f      maxInFlight 3: d comes when one of a, b, c is settled
 * settled    ------a-b-----c-d
 * ```
 *
 * **Guarantee** at least once. Whatever dies - handler, process, connection, server with persistence - an entry is delivered
 * again until a sink has confirmed its settlement. It is delivered to one consumer at a time as long as the lease holds:
 * `leaseMs` without renewal, that is with a dead process or an event loop blocked for so long, gives it to another.
 * **Order** that of the stream per read; what is delivered again comes when it is due.
 * **Backpressure** a read asks for no more than `maxInFlight` minus what is unsettled, and than fits into `maxInFlightBytes`
 * as far as sizes can be foreseen; so no operator behind can make memory grow.
 * **Teardown** `signal`: stops reading, keeps the leases, completes when the last delivery is settled; after `drainTimeoutMs`
 * the rest is released. `unsubscribe`: releases what is unsettled at once; what sits settled in a `bufferAck` then is
 * delivered again. Either way the connections close, and a consumer with a made-up name is removed.
 *
 * **Streams** one name, several, or an Observable of lists: one reader per Cluster slot, or for all of them, fair between them. A group that
 * is missing on one does not stop the others. A stream that leaves the list is left when nothing of it is in flight.
 *
 * Sends, per subscription: XREADGROUP (with CLAIM where the server has it: 8.4) on a connection of its own, short of `blockMs`; XGROUP
 * CREATE, XPENDING, XCLAIM and ZSET commands for retries by script on another. While idle, one to two commands a second.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @param options - see {@link FromGroupOptions}
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`,
 * or `GroupMissingError` with `onMissingGroup: "fail"`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromGroup(redis, { stream: "orders", group: "shipping", startId: "0", signal: drainOn("SIGTERM") })
 *   .pipe(retryToDLQ((order) => ship(order), { maxDeliveries: 5 }), bufferAck(), acknowledge(redis))
 *   .subscribe();
 * ```
 * @see {@link acknowledge}, which every pipeline ends with
 * @public
 */
export function fromGroup(redis: RedisClient, options: FromGroupOptions): Observable<Delivery<Fields>>;
/** The same with the fields as bytes. @public */
export function fromGroup(
  redis: RedisClient,
  options: FromGroupOptions<"buffer"> & { readonly payload: "buffer" },
): Observable<Delivery<BinaryFields>>;
export function fromGroup(redis: RedisClient, options: FromGroupOptions<Payload>): Observable<Delivery<Fields | BinaryFields>> {
  return openSource(toPort(redis), groupSettings(options), readGroups);
}

import type { Observable, ObservableInput, OperatorFunction } from "rxjs";
import { emitLanes } from "../flow/emit-lanes.js";
import { runOrderedLanes } from "../flow/run-ordered-lanes.js";
import { runLanes } from "../flow/run-lanes.js";
import { tracked } from "../flow/tracked.js";
import { callable, integer, oneOf, relation } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import type { Flow, Settled } from "../model/settlement.js";

/** Options of {@link partitionBy}. @public */
export interface PartitionByOptions {
  /** How many lanes, 1 to 65 536. More than the `maxInFlight` of the source are never all busy. */
  readonly lanes: number;
}

/** Options of {@link partitionBy} with a pipeline per lane. @public */
export interface PartitionByProjectOptions extends PartitionByOptions {
  /**
   * What keeps its order. `"key"`: a lane is given an entry when the one before it of the same key has left the lane, so a key
   * stays in order whatever `project` does, and one lane may run several keys at a time. `"lane"`: a lane is given its entries
   * as they come, and `project` keeps their order: for operators that collect, such as `batch`. @defaultValue `"key"`
   */
  readonly inOrder?: "key" | "lane" | undefined;
  /**
   * What later entries of a key do while an earlier one waits for its retry: `"pass"` it, or `"wait"` until it is settled for good.
   * @defaultValue `"pass"`
   */
  readonly whileRetrying?: "pass" | "wait" | undefined;
}

/**
 * Spreads deliveries over a fixed number of lanes by a hash of their key, so that entries of one key are handled in order and
 * different keys in parallel.
 *
 * ```text
 * source  --a1--b1--a2--c1--|          a, b, c are keys
 * lane 0  --a1------A2------|          a2 goes when a1 has left the lane
 * lane 1  ------b1------c1--|
 * result  ----A1--B1---A2-C1--|
 * ```
 *
 * **Guarantee** the hash is MurmurHash3 x86 32-bit with seed 0 over the key's UTF-8 bytes, the lane `floor(hash * lanes / 2^32)`:
 * the same in every process and release. A `key` that throws, or answers no string, makes its delivery a dead letter. Decisions
 * made upstream pass by the lanes. A delivery that is lost to another consumer leaves its key's queue at once.
 * **Order** per key that of arrival, from one decision to the next; none across keys. With `whileRetrying: "pass"` later entries of
 * a key overtake one that is retried. With `"wait"` they go back to Redis, uncounted, and come again when it is settled for good - which
 * `maxDeliveries` bounds - also when the process is killed meanwhile. That holds for one consumer at a time, with a name of its own
 * (`consumer`), and for what `project` decides: in a branch of `tee`, for what the branch decides. It costs a question to Redis per page of deliveries, and needs the source to be one of a group.
 * **Backpressure** what waits is part of the source's window. A lane that is slow keeps nothing in other lanes waiting; an entry
 * waits for its key alone. No key is remembered that has nothing in flight.
 * **Teardown** all lanes are subscribed before the first item, complete when the source has completed and nothing waits, and the
 * result when all lanes have; an error of one lane is an error of all. `unsubscribe` ends all lanes.
 *
 * Without `project` it emits the lanes, all at once and before the first item. Subscribe to all of them when they come, for
 * instance with `mergeMap`; each is in order of arrival, and keeping it is up to you. What has no key goes through lane 0.
 *
 * Entries that two consumers of the group read are in no order: let one consumer read a stream.
 *
 * Sends nothing, or with `"wait"` EXISTS, and where entries wait EVALSHA with XPENDING, ZRANGEBYLEX, ZRANDMEMBER, ZSCORE, ZADD, ZREM.
 *
 * @param key - gets `(value, delivery)`
 * @param project - the pipeline of a lane; gets the lane and its number. An entry has left the lane when it, or a decision about
 * it, was emitted by what `project` answers, alone or in a batch, or when its settlement was confirmed
 * @returns an operator that errors when a lane does, or ends before its source
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(
 *   decode(Order),
 *   partitionBy((order) => order.customerId, { lanes: 32 }, (lane$) => lane$.pipe(retryToDLQ(ship, { maxDeliveries: 5, concurrency: 1 }))),
 *   bufferAck(),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export function partitionBy<A>(
  key: (value: A, delivery: Delivery<A>) => string,
  options: PartitionByOptions,
): OperatorFunction<Flow<A>, Observable<Flow<A>>>;
export function partitionBy<A, R>(
  key: (value: A, delivery: Delivery<A>) => string,
  options: PartitionByProjectOptions,
  project: (lane$: Observable<Delivery<A>>, lane: number) => ObservableInput<R>,
): OperatorFunction<Flow<A>, R | Settled<unknown>>;
export function partitionBy<A, R>(
  key: (value: A, delivery: Delivery<A>) => string,
  options: PartitionByProjectOptions,
  project?: (lane$: Observable<Delivery<A>>, lane: number) => ObservableInput<R>,
): OperatorFunction<Flow<A>, unknown> {
  callable("key", key);
  const { lanes, inOrder = "key", whileRetrying = "pass" } = options;
  integer("lanes", lanes, 1, 65_536);
  oneOf("inOrder", inOrder, ["key", "lane"]);
  oneOf("whileRetrying", whileRetrying, ["pass", "wait"]);
  const waits = whileRetrying === "wait";
  relation(!waits || inOrder === "key", 'Expected `inOrder` to be "key" where `whileRetrying` is "wait"');
  relation(!waits || project !== undefined, 'Expected a `project` where `whileRetrying` is "wait": it decides what is retried');
  const keyOf = (delivery: Delivery<A>): string => key(delivery.value, delivery);
  if (project === undefined) return tracked("partitionBy", emitLanes(lanes, keyOf));
  callable("project", project);
  return tracked("partitionBy", waits ? runOrderedLanes({ lanes, keyOf, project }) : runLanes({ lanes, keyOf, project, inOrder }));
}

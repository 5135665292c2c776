import type { Observable } from "rxjs";
import { pull } from "../flow/pull.js";
import type { NewFields } from "../model/append-fields.js";
import type { EntryId } from "../model/entry-id.js";
import type { RedisClient } from "../redis/client.js";
import { appendTo, type AppendOptions, type FieldsOf } from "./append-to.js";

/**
 * Adds each value of an iterable to a stream, asking for the next ones only as Redis confirms, and emits the ids, in order. For what is
 * larger than memory, or endless: arrays, generators, files, cursors, readable streams.
 *
 * ```text
 * asked for  abcd....ef..gh      maxBatch 2: four values are on their way at most
 * result     ------ab--cd--efgh|
 * ```
 *
 * **Guarantee**, **Order** those of {@link appendTo}.
 * **Backpressure** complete: `2 × maxBatch` values are taken and not confirmed, one write of them sent and the next one waiting.
 * **Teardown** an error of the iterable passes when what came before it is confirmed. `unsubscribe`, and an error, tell the iterator to
 * end (`return`); the write that was sent arrives.
 *
 * @param values - subscribed to anew, its iterator is asked for anew
 * @returns a cold Observable with the errors of {@link appendTo}
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * function* numbers(): Generator<{ n: number }> {
 *   for (let n = 0; n < 10_000; n += 1) yield { n };
 * }
 * appendAll(redis, numbers(), { stream: "numbers" }).subscribe({ complete: () => console.log("all are there") });
 * ```
 * @public
 */
export function appendAll<A>(
  redis: RedisClient,
  values: Iterable<A> | AsyncIterable<A>,
  options: AppendOptions<A> & { readonly fields: (value: A) => NewFields },
): Observable<EntryId>;
export function appendAll<A extends FieldsOf<A>>(
  redis: RedisClient,
  values: Iterable<A> | AsyncIterable<A>,
  options: AppendOptions<A>,
): Observable<EntryId>;
export function appendAll<A>(redis: RedisClient, values: Iterable<A> | AsyncIterable<A>, options: AppendOptions<A>): Observable<EntryId> {
  if (typeof values !== "object" || !(Symbol.iterator in values || Symbol.asyncIterator in values)) {
    throw new TypeError("Expected `values` to be an iterable or an async iterable; an Observable is piped to `appendTo`");
  }
  const { maxBatch = 500 } = options;
  return pull(values, 2 * maxBatch, appendTo(redis, options as AppendOptions<A> & { readonly fields: (value: A) => NewFields }));
}

import type { OperatorFunction } from "rxjs";
import { HandlerTimeoutError } from "../errors.js";
import { failurePolicy } from "../flow/failure-policy.js";
import type { HandlerResult } from "../flow/handler-result.js";
import { runHandlers } from "../flow/run-handlers.js";
import { tracked } from "../flow/tracked.js";
import { callable, durationMs, integer } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import type { BackoffPolicy } from "../model/retry-policy.js";
import type { Flow } from "../model/settlement.js";

/** Options of {@link retryToDLQ}. @public */
export interface RetryToDLQOptions {
  /** How often an entry may be delivered before it becomes a dead letter, by Redis' count; 1 or more. */
  readonly maxDeliveries: number;
  /** How long a failed entry waits in Redis. @defaultValue `exponential({ baseMs: 200, maxMs: 60_000 })` */
  readonly backoff?: BackoffPolicy | undefined;
  /** Handlers at a time, 1 to 100 000; with 1, one after the other in the order of arrival. @defaultValue `16` */
  readonly concurrency?: number | undefined;
  /** A handler that takes longer has failed, and the delivery's signal is aborted; ms, 1 to 2 147 483 647. @defaultValue no limit */
  readonly timeoutMs?: number | undefined;
  /** Whether an error is worth another try; if not, the entry becomes a dead letter at once. @defaultValue every error is */
  readonly retryable?: ((error: unknown) => boolean) | undefined;
}

/**
 * Runs a handler for each delivery and puts its result in the delivery; a failure settles as a retry, and as a dead letter
 * after `maxDeliveries`.
 *
 * ```text
 * source  --a--b--c------------b'--      concurrency 1; b fails once
 * result  ---A--r--C------------B--      r: settled as a retry, b waits in Redis and comes back as b', delivery count 2
 * ```
 *
 * **Guarantee** a handler's failure - thrown, rejected, errored, `Left`, or out of time - never reaches the error channel, and the
 * entry is settled exactly once. The count is Redis' own, so it survives crashes, and it is looked at before the handler runs as
 * well: an entry that kills its process becomes a dead letter. Retries wait in Redis, not in memory, for any delay.
 * **Order** handlers start in order; results come as they are ready (`concurrency: 1`: in order).
 * **Backpressure** what waits for a handler is bounded by the source's credit; a retry that waits in Redis costs none.
 * **Teardown** a delivery that is lost to another consumer, or given up at the end of a drain, is let go: its `signal` is aborted,
 * an Observable unsubscribed, a promise not waited for. `unsubscribe` does so with all.
 *
 * @param handler - gets `(value, delivery)`; gives back a value or something to wait for, see {@link HandlerResult}
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(
 *   decode(Order),
 *   retryToDLQ((order, { signal }) => fetch(order.url, { signal }), { maxDeliveries: 5, backoff: fixed(1000), timeoutMs: 10_000 }),
 *   acknowledge(redis),
 * );
 * ```
 * @public
 */
export function retryToDLQ<A, B>(
  handler: (value: A, delivery: Delivery<A>) => HandlerResult<B>,
  options: RetryToDLQOptions,
): OperatorFunction<Flow<A>, Flow<B>> {
  callable("handler", handler);
  const { concurrency = 16, timeoutMs } = options;
  integer("concurrency", concurrency, 1, 100_000);
  if (timeoutMs !== undefined) durationMs("timeoutMs", timeoutMs, 1);
  const run = runHandlers<A, B>({
    ...failurePolicy(options),
    concurrency,
    handle: (delivery) => handler(delivery.value, delivery),
    timeoutMs,
    timeout: () => new HandlerTimeoutError(timeoutMs ?? 0),
  });
  return tracked("retryToDLQ", run);
}

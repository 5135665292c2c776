import type { OperatorFunction } from "rxjs";
import { BatchResultError, HandlerTimeoutError } from "../errors.js";
import { failurePolicy } from "../flow/failure-policy.js";
import type { HandlerResult } from "../flow/handler-result.js";
import { runBatches } from "../flow/run-batches.js";
import { tracked } from "../flow/tracked.js";
import { callable, durationMs, integer } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import type { BackoffPolicy } from "../model/retry-policy.js";
import type { Flow } from "../model/settlement.js";

/** Options of {@link batch}. @public */
export interface BatchOptions {
  /** A batch goes when it has so many deliveries, 1 to 100 000. @defaultValue `100` */
  readonly maxSize?: number | undefined;
  /** A batch goes when its first delivery has waited so long, ms, 0 or more. @defaultValue `20` */
  readonly maxWaitMs?: number | undefined;
  /** Batches handled at a time, 1 to 100 000; with 1, one after the other in the order of arrival. @defaultValue `1` */
  readonly concurrency?: number | undefined;
  /** How often an entry may be delivered before it becomes a dead letter, by Redis' count; 1 or more. @defaultValue `5` */
  readonly maxDeliveries?: number | undefined;
  /** How long a failed entry waits in Redis. @defaultValue `exponential({ baseMs: 200, maxMs: 60_000 })` */
  readonly backoff?: BackoffPolicy | undefined;
  /** Whether an error is worth another delivery; if not, the entry becomes a dead letter at once. @defaultValue every error is */
  readonly retryable?: ((error: unknown) => boolean) | undefined;
  /** A call that takes longer has failed, and its signal is aborted; ms, 1 to 2 147 483 647. @defaultValue no limit */
  readonly timeoutMs?: number | undefined;
  /** Whether halves of a batch that failed so are worth a call each: not when a database is down. @defaultValue always */
  readonly bisect?: ((error: unknown) => boolean) | undefined;
}

/**
 * Runs one handler call for many deliveries, with a result per item. A call that throws is repeated with each half, until what
 * poisons the batch is alone.
 *
 * ```text
 * source  --a-b-c-------------|      maxSize 3; the handler throws for whatever b is in
 * calls   ------[abc][ab][a][b][c]
 * result  ----------------A--r--C|   r: b settled as a retry, or as a dead letter; a and c went through
 * ```
 *
 * The handler gets `(values, deliveries, signal)` and answers, at once or by promise, Observable or `TaskEither`, with an array of as
 * many results in the same order - each a value, an `Either`, a decision such as `settle.retry(deliveries[2], …)`, or something to
 * wait for (`orders.map(ship)`), which fails alone - or with nothing, when all went well. Any other answer fails every item with a
 * `BatchResultError` and is not bisected.
 *
 * **Guarantee** a failure never reaches the error channel, and each entry is settled exactly once. What fails alone is retried and
 * becomes a dead letter as in `retryToDLQ`; what has been delivered too often becomes one before it gets into a batch. The
 * others of a batch that threw are handled again, in the halves: make the handler idempotent or all-or-nothing. One poison entry
 * among n costs about 2 × log2 n calls more; an error that all share costs 2 × n, so tell `bisect` which those are.
 * **Order** batches start in order, and results are in order within a batch.
 * **Backpressure** a batch goes when it is full, when its first delivery has waited for `maxWaitMs`, and when the source is out of credit
 * and waits; while all calls are busy the next one grows. What waits is bounded by the source's credit.
 * **Teardown** a delivery that is lost to another consumer, or given up at the end of a drain, leaves its batch at once; `signal` is
 * aborted when all have left, when the call is out of time, or by `unsubscribe`.
 *
 * @param handler - gets `(values, deliveries, signal)`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * const insert = (orders: readonly unknown[]): Promise<void> => Promise.resolve(console.log("one INSERT for", orders.length));
 * source.pipe(decode(Order), batch(insert, { maxSize: 100, maxWaitMs: 50, maxDeliveries: 5 }), acknowledge(redis));
 * ```
 * @public
 */
export function batch<A, B = void>(
  handler: (
    values: readonly A[],
    deliveries: readonly Delivery<A>[],
    signal: AbortSignal,
  ) => HandlerResult<readonly HandlerResult<B>[]> | HandlerResult<void>,
  options: BatchOptions = {},
): OperatorFunction<Flow<A>, Flow<B>> {
  callable("handler", handler);
  const { maxSize = 100, maxWaitMs = 20, concurrency = 1, maxDeliveries = 5, timeoutMs, bisect = () => true } = options;
  integer("maxSize", maxSize, 1, 100_000);
  durationMs("maxWaitMs", maxWaitMs);
  integer("concurrency", concurrency, 1, 100_000);
  if (timeoutMs !== undefined) durationMs("timeoutMs", timeoutMs, 1);
  callable("bisect", bisect);
  const run = runBatches<A, B>({
    ...failurePolicy({ ...options, maxDeliveries }),
    maxSize,
    maxWaitMs,
    concurrency,
    handle: handler,
    bisect: (error) => !(error instanceof BatchResultError) && bisect(error),
    timeoutMs,
    timeout: () => new HandlerTimeoutError(timeoutMs ?? 0),
  });
  return tracked("batch", run);
}

import type { OperatorFunction } from "rxjs";
import { FlushClock } from "../flow/flush-clock.js";
import { operate } from "../flow/operate.js";
import { tracked } from "../flow/tracked.js";
import { durationMs, integer } from "../model/check.js";
import { deliveryOf, type Flow, type FlushTrigger, type SettlementBatch } from "../model/settlement.js";

/** Options of {@link bufferAck}. @public */
export interface BufferAckOptions {
  /** A batch goes when it has so many decisions, 1 to 100 000. @defaultValue `500` */
  readonly maxSize?: number | undefined;
  /** A batch goes when its first decision is so old, ms, 0 or more. @defaultValue `20` */
  readonly maxWaitMs?: number | undefined;
}

/**
 * Collects decisions into batches, so that the sink writes once for many.
 *
 * ```text
 * source  --a-b-c-----d---|      maxSize 3
 * batches ------[abc]-----[d]|   size, complete; "time" when nothing else came within maxWaitMs
 * ```
 *
 * **Guarantee** holds back, never drops: a batch goes on size, on time since its first decision, when the source has no credit
 * left and waits for this, on completion, and before an error passes. It never errors under pressure and sends no empty batch.
 * **Order** kept. **Backpressure** holds at most `maxSize` decisions; they are part of the source's window.
 * **Teardown** `unsubscribe` drops the batch: the source releases what is in it, and it is delivered again.
 *
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(bufferAck({ maxSize: 500, maxWaitMs: 20 }), acknowledge(redis));
 * ```
 * @public
 */
export function bufferAck<A = unknown>(options: BufferAckOptions = {}): OperatorFunction<Flow<A>, SettlementBatch<A>> {
  const { maxSize = 500, maxWaitMs = 20 } = options;
  integer("maxSize", maxSize, 1, 100_000);
  durationMs("maxWaitMs", maxWaitMs);
  const collect = operate<Flow<A>, SettlementBatch<A>>((subscriber) => {
    let items: Flow<A>[] = [];
    const flush = (trigger: FlushTrigger): void => {
      clock.reset();
      if (items.length === 0) return;
      const batch = items;
      items = [];
      subscriber.next({ _tag: "SettlementBatch", items: batch, trigger });
    };
    const clock = new FlushClock({ maxWaitMs, held: () => items.length, flush });
    subscriber.add(() => clock.stop());
    return {
      next: (item) => {
        const origin = clock.see(deliveryOf(item));
        items.push(item);
        if (items.length >= maxSize) flush("size");
        else clock.added(origin);
      },
      error: (error) => {
        flush("error");
        subscriber.error(error);
      },
      complete: () => {
        flush("complete");
        subscriber.complete();
      },
    };
  });
  return tracked("bufferAck", collect);
}

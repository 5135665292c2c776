import { asyncScheduler, Subscription, timer, type OperatorFunction } from "rxjs";
import { operate } from "../flow/operate.js";
import { OriginWatch } from "../flow/watch-origins.js";
import { durationMs, integer } from "../model/check.js";
import type { Origin } from "../model/origin.js";
import { deliveryOf, type Flow, type FlushTrigger, type SettlementBatch } from "../model/settlement.js";

/** Options of {@link bufferAck}. @public */
export interface BufferAckOptions {
  /** A batch goes when it has so many decisions, 1 to 100 000. @defaultValue `500` */
  readonly maxSize?: number | undefined;
  /** A batch goes when its first decision is so old, ms, 0 or more. @defaultValue `20` */
  readonly maxWaitMs?: number | undefined;
}

/** With its source out of credit a batch waits no longer than this for company. */
const starvedWaitMs = 5;

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
  return operate((subscriber) => {
    let items: Flow<A>[] = [];
    let timing = new Subscription();
    let deadline = Infinity;

    const flush = (trigger: FlushTrigger): void => {
      timing.unsubscribe();
      deadline = Infinity;
      if (items.length === 0) return;
      const batch = items;
      items = [];
      subscriber.next({ _tag: "SettlementBatch", items: batch, trigger });
    };
    const flushWithin = (ms: number, trigger: FlushTrigger): void => {
      const at = asyncScheduler.now() + ms;
      if (at >= deadline) return;
      deadline = at;
      timing.unsubscribe();
      // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
      timing = timer(ms).subscribe({ next: () => flush(trigger) });
    };
    const onStarved = (origin: Origin): void => {
      if (items.length === 0) return;
      if (isEnough(items.length, origin)) flush("starved");
      else flushWithin(starvedWaitMs, "starved");
    };
    const origins = new OriginWatch((origin) => ({ starved: () => onStarved(origin) }));

    subscriber.add(() => {
      timing.unsubscribe();
      origins.stop();
    });
    return {
      next: (item) => {
        const origin = origins.see(deliveryOf(item));
        items.push(item);
        if (items.length >= maxSize) return flush("size");
        if (items.length === 1) flushWithin(maxWaitMs, "time");
        if (origin.starved && (items.length === 1 || isEnough(items.length, origin))) onStarved(origin);
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
}

/** A quarter of the window is worth a read; and if all that is in flight is here, nothing else will come. */
const isEnough = (held: number, origin: Origin): boolean => held >= origin.window / 4 || held >= origin.unsettled;

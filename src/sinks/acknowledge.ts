import { finalize, Observable, type OperatorFunction } from "rxjs";
import { gather } from "../flow/gather.js";
import { SettlementWriter, type WriterOptions } from "../flow/settlement-writer.js";
import { tracked } from "../flow/tracked.js";
import { oneOf, text } from "../model/check.js";
import type { Receipt } from "../model/receipt.js";
import type { Flow, SettlementBatch } from "../model/settlement.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link acknowledge}. @public */
export interface AcknowledgeOptions {
  /**
   * What an acknowledgement does to the entry: `"ack"` leaves it in the stream; `"ackAndDelete"` deletes it as soon as every
   * other group of the stream has settled it, too (XACKDEL … ACKED where the server has it). @defaultValue `"ack"`
   */
  readonly mode?: "ack" | "ackAndDelete" | undefined;
  /** Where dead letters go; in a Cluster it must share the stream's slot. @defaultValue `{stream}:dlq:<group>`, without a group `{stream}:dlq` */
  readonly deadLetterStream?: string | undefined;
}

/**
 * Carries the decisions out in Redis, a batch in one round trip, and gives the source its credit back: the end of every
 * pipeline. A delivery that arrives undecided is acknowledged.
 *
 * ```text
 * batches  --[abc]-----[de]--|
 * receipts -------R-------R--|      when Redis has confirmed; one per batch, stream and group
 * ```
 *
 * **Guarantee** a decision is written until Redis confirms it; only then its credit returns, once. A batch of acks alone is one
 * XACK per reason; any other batch is one script per stream: it checks that each entry is still this consumer's, and does all
 * of it or, for a dead letter that can't be added, leaves that entry pending and tries again. What another consumer has
 * claimed is not touched and counted as `notPending`. A write whose reply was lost is repeated without harm: nothing is
 * dead-lettered twice; what the first attempt had done is then counted as `notPending`. Deliveries without a group (`fromStream`,
 * `fromRange`) are not pending: only their dead letters are written, twice if a reply is lost, and `mode` is of no effect.
 * **Order** receipts come as confirmed. **Backpressure** none of its own: what it holds is part of the source's window.
 * Single deliveries that arrive during a write go together in the next. **Teardown** completes after the last confirmation;
 * `unsubscribe` lets writes that were sent arrive. After the source's `drainTimeoutMs`, writes that Redis does not answer are given up.
 *
 * Sends XACK, or one EVALSHA (EVAL on first use) with XPENDING, XACK, XADD, XRANGE, XCLAIM, ZADD.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(retryToDLQ(ship, { maxDeliveries: 5 }), bufferAck(), acknowledge(redis)).subscribe((receipt) => console.log(receipt.acked));
 * ```
 * @public
 */
export function acknowledge(
  redis: RedisClient,
  options: AcknowledgeOptions = {},
): OperatorFunction<Flow<unknown> | SettlementBatch, Receipt> {
  const { mode = "ack", deadLetterStream } = options;
  const writing: WriterOptions = { mode: oneOf("mode", mode, ["ack", "ackAndDelete"]), deadLetterStream };
  if (deadLetterStream !== undefined) text("deadLetterStream", deadLetterStream);
  const port = toPort(redis);
  const write: OperatorFunction<Flow<unknown> | SettlementBatch, Receipt> = (source) =>
    new Observable((subscriber) => {
      const commands = port.openCommands();
      const writer = new SettlementWriter(port, commands, writing);
      return source
        .pipe(
          gather((items) => writer.write(items)),
          finalize(() => commands.close()),
        )
        .subscribe(subscriber);
    });
  return tracked("acknowledge", write);
}

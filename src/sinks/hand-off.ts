import { finalize, Observable, type OperatorFunction } from "rxjs";
import { gather } from "../flow/gather.js";
import { planOutputs, type OutputSettings } from "../flow/plan-outputs.js";
import { SettlementWriter, type WriterOptions } from "../flow/settlement-writer.js";
import { tracked } from "../flow/tracked.js";
import { callable, integer, oneOf, relation, text } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import type { Effect } from "../model/effect.js";
import type { OutputRecord } from "../model/output.js";
import type { Receipt } from "../model/receipt.js";
import type { Flow, SettlementBatch } from "../model/settlement.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link handOff}: `to` with `fields`, or `effects`, or all three. @public */
export interface HandOffOptions<A> {
  /** The stream that outputs go to, or which one each goes to; in a Cluster in the slot of the stream read, such as `{orders}:invoices`. */
  readonly to?: string | ((fields: OutputRecord, delivery: Delivery<A>) => string) | undefined;
  /** What is written for an entry: the fields of one output, or an array for any number of them, none included. */
  readonly fields?: ((value: A, delivery: Delivery<A>) => OutputRecord | readonly OutputRecord[]) | undefined;
  /** What else changes with an entry, see {@link Effect}; in the order given. */
  readonly effects?: ((value: A, delivery: Delivery<A>) => readonly Effect[]) | undefined;
  /** Trims the streams written to, to about so many entries; 1 or more. @defaultValue no trimming */
  readonly maxLen?: number | undefined;
  /** As in `acknowledge`. @defaultValue `"ack"` */
  readonly mode?: "ack" | "ackAndDelete" | undefined;
  /** As in `acknowledge`. @defaultValue `{stream}:dlq:<group>` */
  readonly deadLetterStream?: string | undefined;
}

/** A {@link Receipt} with what was written. @public */
export interface HandOffReceipt extends Receipt {
  /** Entries added together with those acknowledged. */
  readonly outputs: number;
}

/**
 * Hands entries on to other streams and aggregates of the same Redis, **exactly once**: what is written for an entry is
 * written in the atomic step that acknowledges it, and in no other.
 *
 * ```text
 * batches  --[ab]-----[c]--|      fields: a → A, b → [], c → [C, C']
 * receipts -------R------R-|      acked 2, outputs 1; acked 1, outputs 2
 * ```
 *
 * **Guarantee** outputs and effects happen if, and only if, this acknowledgement took the entry out of the pending list: a crash at
 * any moment, a lost reply, a lease that was lost or a second consumer neither lose nor double one. All that can be refused - a key of
 * the wrong type, a counter that is no number, a full memory - is found before the acknowledgement, and nothing stays half written;
 * out of memory the entry stays pending and is tried again. A callback that throws, or returns what can't be
 * written, makes a dead letter. Only undecided deliveries are handed on: decisions that arrive - retries, dead letters, releases,
 * acks - are carried out as `acknowledge` does, marks of `dedupe` included. The reads, handlers and requests before
 * this are at least once, as ever: what has to be exact belongs in `fields` and `effects`.
 * **Receipts** `outputs` counts what is confirmed. After a lost reply the repeated write finds its entries settled; they count as
 * `notPending`, and their outputs, which were written once, in no receipt: count the target, not the receipts.
 * **Order** outputs have the order of the batch, and within an entry that of the array; with retries it differs from the order of the
 * stream. **Backpressure** and **Teardown** as `acknowledge`.
 *
 * Sends one EVALSHA (EVAL on first use) per batch and stream with XPENDING, XACK, TYPE, XADD and the commands of the effects;
 * one XACK for a batch that writes nothing.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError` - also for a key in
 * another Cluster slot, with the name it should have - and `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * source.pipe(
 *   decode(Order),
 *   bufferAck(),
 *   handOff(redis, {
 *     to: "{docs}:invoices",
 *     fields: (order, { id }) => ({ order: order.orderId, amount: order.amount, from: id }),
 *     effects: (order) => [{ _tag: "HashIncrement", key: "{docs}:totals", field: "orders", by: 1 }],
 *   }),
 * );
 * ```
 * @public
 */
export function handOff<A>(redis: RedisClient, options: HandOffOptions<A>): OperatorFunction<Flow<A> | SettlementBatch<A>, HandOffReceipt> {
  const outputs = outputSettings(options);
  const { mode = "ack", deadLetterStream } = options;
  oneOf("mode", mode, ["ack", "ackAndDelete"]);
  if (deadLetterStream !== undefined) text("deadLetterStream", deadLetterStream);
  const port = toPort(redis);
  const writing: WriterOptions = { mode, deadLetterStream, plan: planOutputs(port, outputs) };
  const write: OperatorFunction<Flow<A> | SettlementBatch<A>, HandOffReceipt> = (source) =>
    new Observable((subscriber) => {
      const commands = port.openCommands();
      const writer = new SettlementWriter(port, commands, writing);
      return source
        .pipe(
          gather((items) => writer.write(items) as Observable<HandOffReceipt>),
          finalize(() => commands.close()),
        )
        .subscribe(subscriber);
    });
  return tracked("handOff", write);
}

function outputSettings<A>({ to, fields, effects, maxLen }: HandOffOptions<A>): OutputSettings {
  relation((to === undefined) === (fields === undefined), "Expected `to` and `fields` together: where outputs go, and what is in them");
  relation(fields !== undefined || effects !== undefined, "Expected `to` and `fields`, or `effects`: else nothing would be handed on");
  if (typeof to === "string") text("to", to);
  else if (to !== undefined) callable("to", to);
  if (fields !== undefined) callable("fields", fields);
  if (effects !== undefined) callable("effects", effects);
  if (maxLen !== undefined) integer("maxLen", maxLen, 1);
  return { to: to ?? "", fields: fields ?? (() => []), effects: effects ?? (() => []), maxLen } as OutputSettings;
}

import { map, reduce, type Observable } from "rxjs";
import { relation, text } from "../model/check.js";
import type { RedisClient } from "../redis/client.js";
import type { DeletionStep } from "../redis/port.js";
import { ask, groupRef } from "./ask.js";

/** Options of {@link deleteConsumer}. @public */
export interface DeleteConsumerOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** What happens when it still owns entries: nothing at all, or they go to another consumer of the group. @defaultValue `"refuse"` */
  readonly pending?: "refuse" | { readonly moveTo: string } | undefined;
}

/** What became of a consumer that was to be deleted. @public */
export type ConsumerDeletion =
  | { readonly _tag: "deleted"; /** How many entries went to another consumer before. */ readonly moved: number }
  | { readonly _tag: "refused"; /** How many entries it owns. */ readonly pending: number }
  | { readonly _tag: "absent" };

/**
 * Removes a consumer from a group, never the entries it owns; emits what happened and completes.
 *
 * ```text
 * owns nothing         --{ deleted, moved: 0 }|
 * owns 3 entries       --{ refused, pending: 3 }|      nothing was done
 * … with { moveTo }    --{ deleted, moved: 3 }|
 * no such consumer     --{ absent }|                   nor group, nor stream
 * ```
 *
 * **Guarantee** nothing is lost: Redis itself would forget that the entries of a deleted consumer were ever delivered. The look
 * and the deletion are one atomic step. Moved entries keep idle time, delivery count and the time of their retry, so moving renews no
 * lease; one that was trimmed meanwhile is acked away and not counted. They go 200 a step: when it is interrupted, each belongs to the one or
 * the other, and the next call goes on. Repeated until Redis has answered: when the first answer got lost, the second is
 * `absent`, or counts too few. Meant for a consumer that has stopped: one that reads is made again by its next read.
 * **Teardown** closes its connection; what was sent is done. Sends a script with XINFO CONSUMERS, XPENDING, XCLAIM and XGROUP DELCONSUMER.
 *
 * @returns a cold Observable that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`; else it
 * waits for Redis for ever, so add `timeout` where somebody waits for it
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * deleteConsumer(redis, { stream: "orders", group: "billing", consumer: "old-host", pending: { moveTo: "new-host" } }).subscribe((what) => {
 *   if (what._tag === "deleted") console.log(`moved ${what.moved} entries`);
 * });
 * ```
 * @see {@link pruneConsumers}, for all that are dead
 * @public
 */
export function deleteConsumer(redis: RedisClient, options: DeleteConsumerOptions): Observable<ConsumerDeletion> {
  const { consumer, pending = "refuse" } = options;
  const ref = { ...groupRef(options), consumer: text("consumer", consumer) };
  const heir = pending === "refuse" ? undefined : heirOf(consumer, pending);
  return ask(
    redis,
    ref,
    (admin) => admin.deleteConsumer(ref, heir),
    (step) => step._tag === "more",
  ).pipe(
    reduce(join),
    map((step) => (step._tag === "refused" ? step : toDeletion(step))),
  );
}

function heirOf(consumer: string, pending: { readonly moveTo: string }): string {
  relation(isObject(pending), 'Expected `pending` to be "refuse" or { moveTo: consumer }');
  const { moveTo } = pending;
  relation(text("pending.moveTo", moveTo) !== consumer, `Expected \`pending.moveTo\` to be another consumer than \`${consumer}\``);
  return moveTo;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

function join(sum: DeletionStep, step: DeletionStep): DeletionStep {
  return sum._tag === "refused" || step._tag === "refused" ? step : { _tag: step._tag, moved: sum.moved + step.moved };
}

/** Gone after some of its entries were moved: this call or another one with the same aim has deleted it. */
const toDeletion = ({ _tag, moved }: Exclude<DeletionStep, { _tag: "refused" }>): ConsumerDeletion =>
  _tag === "absent" && moved === 0 ? { _tag } : { _tag: "deleted", moved };

import { defer, finalize, type OperatorFunction } from "rxjs";
import { inBatches } from "../flow/in-batches.js";
import { TakeBack } from "../flow/take-back.js";
import { flag, integer, text } from "../model/check.js";
import { isUnreadable } from "../model/dead-letter.js";
import { streamName } from "../model/keys.js";
import type { Redrivable, Redriven, RefusalReason } from "../model/redriven.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link redrive}. @public */
export interface RedriveOptions {
  /** Only letters of this stream. @defaultValue those of any, each to its own */
  readonly stream?: string | undefined;
  /** Only letters of this group. @defaultValue those of any, each to its own */
  readonly group?: string | undefined;
  /** Where the letters are. @defaultValue `{stream}:dlq:<group>` */
  readonly deadLetterStream?: string | undefined;
  /** Change nothing, and say what would be done. @defaultValue `false` */
  readonly dryRun?: boolean | undefined;
  /** Refuse letters that were redriven so often, 1 or more. @defaultValue none is refused */
  readonly maxHops?: number | undefined;
}

/** Letters per call of the script: a millisecond or two of the server. */
const lettersPerCall = 100;

/**
 * Takes dead letters back to the group that failed, and to no other, and emits what became of each.
 *
 * ```text
 * letters  --a-----b-----b-----c--|
 * result   ----a-----b-----x-----c'-|     b again, x absent: b was taken back before; c' added, because its entry was trimmed
 * ```
 *
 * **Guarantee** each letter is taken back once, whatever is killed when: one atomic step makes the entry pending again, under its own
 * id and with delivery count 0, plans it as a retry that is due, and removes the letter; a repeat finds no letter. A living consumer takes it within a
 * second. An entry that was deleted meanwhile is added anew: groups that had been given everything until then are moved past it, and in
 * the others `fromGroup` and its like acknowledge it away unseen. (Other clients in a group that lags behind do see it, its first field
 * is `rxjs-redis-streams:redriven-for`.) If it fails again, its next letter says so in `hops`, and keeps `firstFailedAt`.
 * **Order** that of the letters. **Backpressure** 100 letters at most are sent; what comes meanwhile waits. Use `concatMap` with `timer` for a slower pace.
 * **Teardown** completes after the last answer. `unsubscribe`: what was sent is done.
 *
 * Sends one EVALSHA (EVAL on first use) per 100 letters, with XINFO, XPENDING, XRANGE, XCLAIM, ZADD, XADD, XGROUP SETID, HSET and XDEL.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with what can't heal: `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * fromDeadLetters(redis, { stream: "orders", group: "shipping" })
 *   .pipe(
 *     filter(({ cause, hops }) => cause.name === "TimeoutError" && hops < 3),
 *     redrive(redis, { dryRun: true }),
 *   )
 *   .subscribe(({ _tag, letter }) => console.log(_tag, letter.origin.id));
 * ```
 * @see {@link fromDeadLetters}
 * @public
 */
export function redrive<L extends Redrivable>(redis: RedisClient, options: RedriveOptions = {}): OperatorFunction<L, Redriven<L>> {
  const { stream, group, deadLetterStream, dryRun: isDryRun = false, maxHops = Infinity } = options;
  if (stream !== undefined) streamName("stream", text("stream", stream));
  if (group !== undefined) text("group", group);
  if (deadLetterStream !== undefined) text("deadLetterStream", deadLetterStream);
  flag("dryRun", isDryRun);
  if (maxHops !== Infinity) integer("maxHops", maxHops, 1);
  const port = toPort(redis);

  const refuse = ({ origin, hops }: Redrivable): RefusalReason | undefined => {
    if (origin.group === "") return "noGroup"; // it was read without one
    if (isUnreadable({ origin })) return "unreadable";
    if (origin.stream !== (stream ?? origin.stream) || origin.group !== (group ?? origin.group)) return "otherGroup";
    return hops >= maxHops ? "tooManyHops" : undefined;
  };
  return (source) =>
    defer(() => {
      const admin = port.openAdmin();
      const back = new TakeBack<L>(admin, { deadLetterStream, isDryRun, refuse });
      return source.pipe(
        inBatches({ maxSize: lettersPerCall }, (letters) => back.write(letters)),
        finalize(() => admin.close()),
      );
    });
}

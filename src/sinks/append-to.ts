import { defer, finalize, map, type Observer, type OperatorFunction } from "rxjs";
import { alongside } from "../flow/alongside.js";
import { AppendWriter, type Addressed, type AppendPlan } from "../flow/append-writer.js";
import { inBatches } from "../flow/in-batches.js";
import { reporter } from "../flow/reporter.js";
import { sizeOfWords, toNewPairs, type FieldValue, type NewFields } from "../model/append-fields.js";
import type { AppendStatus } from "../model/append-status.js";
import { callable, durationMs, integer, oneOf, text } from "../model/check.js";
import { disown } from "../model/disown.js";
import type { EntryId } from "../model/entry-id.js";
import { streamName } from "../model/keys.js";
import { toRetention, type KeepOptions } from "../model/retention.js";
import type { RedisClient } from "../redis/client.js";
import { toPort } from "../redis/ioredis-adapter.js";

/** Options of {@link appendTo}. @public */
export type AppendOptions<A> = KeepOptions & {
  /** The stream's key, or which one each value goes to. */
  readonly stream: string | ((value: A) => string);
  /** What of a value is written: a record of fields, or pairs. @defaultValue the value itself, a record of fields */
  readonly fields?: ((value: A) => NewFields) | undefined;
  /** Whether `maxLen` and `minId` are kept to the entry; if not, Redis removes whole nodes (100 entries) when that is cheap. @defaultValue `false` */
  readonly exact?: boolean | undefined;
  /** Entries per write, 1 to 1000; it is also how many are sent and not confirmed. @defaultValue `500` */
  readonly maxBatch?: number | undefined;
  /** When there is no such stream: `"create"` it, or `"fail"` with a `StreamMissingError` (NOMKSTREAM). @defaultValue `"create"` */
  readonly onMissingStream?: "create" | "fail" | undefined;
  /** What makes an event the same as one that was added before; a text that is not empty. @defaultValue nothing does */
  readonly idempotencyKey?: ((value: A) => string) | undefined;
  /** How long a key is remembered, ms, 1000 or more. Redis 8.6 does so itself up to a day; else it costs a key of its own. @defaultValue `600000` */
  readonly idempotencyMs?: number | undefined;
  /** Fields that carry the trace on, such as `traceparent`; called for each value. A field of that name in the value stays. */
  readonly traceContext?: (() => Readonly<Record<string, string>>) | undefined;
  /** Hears of trouble that heals; only its `next` is called. */
  readonly status?: Pick<Observer<AppendStatus>, "next"> | undefined;
};

/**
 * A value that can be written as it is: each of its properties is a field.
 * @public
 */
export type FieldsOf<A> = { readonly [K in keyof A]: FieldValue };

/** Bytes of a write, about, beyond which the next entry goes with the next one. */
const fullBatch = 1_000_000;

/**
 * Adds each value to a stream and emits the ids, in order.
 *
 * ```text
 * source  --a--bcd--------|
 * writes    a  b  cd              b goes at once; c and d come during its write and go with the next
 * result  ----a--b---cd---|       ids, when Redis has confirmed
 * ```
 *
 * **Guarantee** an entry is written until Redis confirms it; trouble that heals - a lost connection, a failover, out of memory - is
 * waited for and told to `status`. Without a key at least once: when a connection breaks between a write and its answer, the write is
 * made again, and up to `maxBatch` entries are there twice. With `idempotencyKey` exactly once for `idempotencyMs`, across processes
 * and restarts: a repeat adds nothing and emits the id of the first time. On Redis 8.6 the stream itself remembers the keys (IDMP, whose
 * limits are raised where they are lower), else a key beside the stream does.
 * **Order** entries are in the stream in the order of the values, also after trouble; a write that is made again comes after what it
 * repeats. With several streams, in each.
 * **Backpressure** at most `maxBatch` entries are sent and not confirmed. What the source emits meanwhile waits in memory: RxJS
 * can't slow a source down. For what can be asked for the next value - arrays, generators, files, cursors - use {@link appendAll}.
 * **Teardown** completes after the last confirmation. An error of the source passes when what came before it is confirmed.
 * `unsubscribe` lets the write that was sent arrive and drops what waits.
 *
 * A field that is `undefined`, `null`, a Date, an array or any other object ends it with a `TypeError` that names the field, after
 * what came before is confirmed: that is a bug, and guessing would write it into the stream. So does a callback that throws.
 *
 * Sends MULTI, an XADD per entry and EXEC per write, encoded at once. The first two writes on a connection, and all of them where MULTI or
 * EXEC is forbidden, ioredis is built in another way than is known, or keys are beside the stream, are one EVALSHA (EVAL on first use) with XADD
 * in it. With `idempotencyKey` also XINFO STREAM, XGROUP, XCFGSET, or GET and SET.
 *
 * @param redis - a `Redis` or `Cluster` of ioredis 5 or 6; it is duplicated, never used itself
 * @returns an operator that errors only with the source's error, with a bug of the producer's, and with what can't heal:
 * `WrongTypeError`, `AccessError`, `CommandError`, `ReplyError`, `StreamMissingError`
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * of({ orderId: "A-1", amount: 12 }, { orderId: "A-2", amount: 7 })
 *   .pipe(appendTo(redis, { stream: "orders", maxLen: 100_000, idempotencyKey: ({ orderId }) => orderId }))
 *   .subscribe((id) => console.log(id));
 * ```
 * @see {@link appendAll}
 * @public
 */
export function appendTo<A>(
  redis: RedisClient,
  options: AppendOptions<A> & { readonly fields: (value: A) => NewFields },
): OperatorFunction<A, EntryId>;
export function appendTo<A extends FieldsOf<A>>(redis: RedisClient, options: AppendOptions<A>): OperatorFunction<A, EntryId>;
export function appendTo<A>(redis: RedisClient, options: AppendOptions<A>): OperatorFunction<A, EntryId> {
  const { maxBatch = 500 } = options;
  integer("maxBatch", maxBatch, 1, 1_000);
  const plan = appendPlan(options);
  const address = addressing(options);
  const port = toPort(redis);
  return (source) =>
    defer(() => {
      const appends = port.openAppends();
      const writer = new AppendWriter(appends, plan, reporter(options.status));
      const limits = { maxSize: maxBatch, weigh: { of: ({ size }: Addressed) => size, full: fullBatch } };
      const ids = source.pipe(
        map(address),
        inBatches(limits, (batch) => writer.write(batch)),
      );
      return alongside(ids, writer.outages).pipe(finalize(() => appends.close()));
    });
}

function appendPlan<A>(options: AppendOptions<A>): AppendPlan {
  const { exact = false, onMissingStream = "create", idempotencyMs = 600_000 } = options;
  return {
    retention: toRetention(options, exact),
    onMissingStream: oneOf("onMissingStream", onMissingStream, ["create", "fail"]),
    rememberMs: durationMs("idempotencyMs", idempotencyMs, 1_000, Number.MAX_SAFE_INTEGER),
  };
}

/** What becomes of a value: which stream, which fields, which key. */
function addressing<A>({ stream, fields, idempotencyKey, traceContext }: AppendOptions<A>): (value: A) => Addressed {
  const named = (name: string): string =>
    idempotencyKey === undefined ? text("stream", name) : streamName("stream", text("stream", name));
  const streamOf = typeof stream === "function" ? (value: A) => named(stream(value)) : () => stream;
  if (typeof stream !== "function") named(stream);
  if (fields !== undefined) callable("fields", fields);
  if (idempotencyKey !== undefined) callable("idempotencyKey", idempotencyKey);
  if (traceContext !== undefined) callable("traceContext", traceContext);
  return (value) => {
    const pairs = toNewPairs(fields === undefined ? value : fields(value), traceContext?.());
    const key = idempotencyKey === undefined ? undefined : keyText(idempotencyKey(value));
    return { stream: streamOf(value), key, pairs, size: sizeOfWords(pairs) };
  };
}

function keyText(key: string): string {
  disown(key);
  return text("idempotencyKey", key);
}

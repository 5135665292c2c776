/** What an attack on the operators and `handOff` found; each was a real defect. */
import { lastValueFrom, mergeAll, of, type OperatorFunction } from "rxjs";
import {
  acknowledge,
  appendTo,
  batch,
  bufferAck,
  decode,
  dedupe,
  fromDeadLetters,
  fromGroup,
  handOff,
  partitionBy,
  redrive,
  trim,
  trimAcked,
  type Effect,
  type Flow,
  type HandOffReceipt,
  type Receipt,
} from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { afterwards, total, workbench } from "../support/workbench.js";

/** What somebody without a compiler passes. */
const untyped = (value: unknown): never => value as never;

describe("effects that Redis can't be given make a dead letter, and nothing is counted", () => {
  const many = Array.from({ length: 9_000 }, (_, n) => `m${n}`);
  it.each<[string, (key: string) => Effect]>([
    ["members for a set", (key) => ({ _tag: "SetAdd", key, members: many })],
    ["fields of a hash", (key) => ({ _tag: "HashDelete", key, fields: many })],
    ["bits of a number", (key) => ({ _tag: "CounterIncrement", key, by: 10n ** 30n })],
  ])("too many %s", async (_, effect) => {
    const { redis, stream, group, add, deadLetters, pending, run } = workbench();
    await add(2);
    const [counter, other] = [`${stream}:counter`, `${stream}:other`];
    afterwards(() => redis.del(counter, other));
    const effects = ({ n = "" }: Record<string, string>): Effect[] => [
      { _tag: "CounterIncrement", key: counter },
      ...(n === "0" ? [effect(other)] : []),
    ];
    const { values } = run<HandOffReceipt>(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(bufferAck(), handOff(redis, { effects })),
    );
    await until(() => total(values, "acked") + total(values, "deadLettered") === 2, "both are settled");
    expect([await deadLetters(), await redis.get(counter), await pending()]).toEqual([[expect.anything()], "1", 0]);
  });
});

describe("a promise where none may be does not end the process with its rejection", () => {
  const rejects = untyped((): Promise<never> => Promise.reject(new Error("too late")));
  type Sink = (redis: Redis) => OperatorFunction<Flow<never>, Receipt>;
  const operators: Record<string, Sink> = {
    dedupe: (redis) => (source) => source.pipe(dedupe(redis, { key: rejects, ttlMs: 1_000 }), acknowledge(redis)),
    partitionBy: (redis) => (source) => source.pipe(partitionBy(rejects, { lanes: 2 }), mergeAll(), acknowledge(redis)),
    decode: (redis) => (source) => source.pipe(decode(rejects), acknowledge(redis)),
    "handOff, fields": (redis) => handOff(redis, { to: "out", fields: rejects }),
    "handOff, effects": (redis) => handOff(redis, { effects: rejects }),
    "handOff, to": (redis) => handOff(redis, { to: rejects, fields: () => ({ a: 1 }) }),
    "batch, a wrong number of results": (redis) => (source) =>
      source.pipe(
        batch(() => [untyped(Promise.reject(new Error("one"))), untyped(2)], { maxDeliveries: 1 }),
        acknowledge(redis),
      ),
    "batch, results after its time": (redis) => (source) => {
      const late = async () => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return [untyped(Promise.reject(new Error("late")))];
      };
      return source.pipe(batch(late, { maxDeliveries: 1, timeoutMs: 20 }), acknowledge(redis));
    },
  };
  it.each(Object.entries(operators))("%s", async (_, operator) => {
    const { redis, stream, group, add, run } = workbench();
    await add(1);
    const unhandled: unknown[] = [];
    const note = (reason: unknown): unknown => unhandled.push(reason);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    afterwards(() => {
      process.off("unhandledRejection", note);
      for (const other of others) process.on("unhandledRejection", other);
    });
    const { values } = run(fromGroup(redis, { stream, group, startId: "0" }).pipe(operator(redis) as OperatorFunction<unknown, Receipt>));
    await until(() => total(values, "deadLettered") === 1, "it is a dead letter");
    await new Promise((resolve) => setTimeout(resolve, 100)); // nothing is to happen
    expect(unhandled).toEqual([]);
  });
});

describe("a switch that is neither on nor off is refused at call time", () => {
  const redis = new Redis({ lazyConnect: true });
  it.each<[string, () => unknown]>([
    ["dryRun", () => redrive(redis, { dryRun: untyped("no") })],
    ["dryRun", () => trimAcked(redis, { stream: "orders", dryRun: untyped(0) })],
    ["live", () => fromDeadLetters(redis, { stream: "orders", live: untyped("false") })],
    ["exact", () => trim(redis, { stream: "orders", maxLen: 1, exact: untyped("yes") })],
    ["exact", () => lastValueFrom(of({ a: 1 }).pipe(appendTo(redis, { stream: "orders", exact: untyped(1) })))],
  ])("%s", (name, call) => {
    expect(call).toThrow(new RegExp(`^Expected \`${name}\` to be true or false, got`));
  });
});

import {
  acknowledge,
  bufferAck,
  dedupe,
  filterAck,
  fixed,
  fromGroup,
  orderKey,
  partitionBy,
  retryToDLQ,
  tee,
  type DedupeOptions,
  type Fields,
  type Flow,
} from "rxjs-redis-streams";
import type { OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, total, workbench } from "../support/workbench.js";
import type { Redis } from "../support/ioredis.js";

const byN: DedupeOptions<Fields> = { key: ({ n = "" }) => n, ttlMs: 60_000, waitMs: 100 };

/** The keys of dedupe with their values. */
async function keysOf(redis: Redis, stream: string): Promise<Record<string, string | null>> {
  const keys = await redis.keys(`{${stream}}:dedupe:*`);
  afterwards(() => (keys.length > 0 && redis.status === "ready" ? redis.del(...keys) : undefined));
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await redis.get(key)] as const)));
}

describe("dedupe in a branch of tee", () => {
  it("marks its key with the ack of the delivery, and a repeat is handled by the other branches alone", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(2);
    const seen: Record<"once" | "always", string[]> = { once: [], always: [] };
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        tee(
          (branch$) =>
            branch$.pipe(
              dedupe(redis, byN),
              retryToDLQ(({ n = "" }) => void seen.once.push(n), { maxDeliveries: 3 }),
            ),
          retryToDLQ(({ n = "" }) => void seen.always.push(n), { maxDeliveries: 3 }),
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 2, "both are acknowledged");
    expect(Object.values(await keysOf(redis, stream))).toEqual(["done", "done"]);
    await add(2);
    await until(async () => seen.always.length === 4 && (await pending()) === 0, "the repeats are settled, too");
    expect(seen.once.sort()).toEqual(["0", "1"]);
  });

  it("gives its key back with a retry that another branch wants, and takes it again; keys of all branches go together", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(1);
    let attempts = 0;
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", recover: false }).pipe(
        tee(
          dedupe(redis, byN),
          (branch$) =>
            branch$.pipe(
              dedupe(redis, { ...byN, scope: "stream" }),
              filterAck(() => true),
            ),
          retryToDLQ(
            () => {
              attempts += 1;
              if (attempts === 1) throw new Error("busy");
            },
            { maxDeliveries: 3, backoff: fixed(400) },
          ),
        ),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "retried") === 1, "it is to be retried");
    expect(await keysOf(redis, stream)).toEqual({});
    await until(async () => total(pipeline.values, "acked") === 1 && (await pending()) === 0, "it is acknowledged");
    expect(attempts).toBe(2);
    expect(Object.values(await keysOf(redis, stream))).toEqual(["done", "done"]);
  });
});

describe("partitionBy that waits, in branches of tee", () => {
  /** A branch in order of a field, in which the first attempt at one entry fails. */
  const ordered = (field: string, failing: string, seen: string[]): OperatorFunction<Flow<Fields>, Flow<unknown>> => {
    const handle = ({ n = "" }: Fields): void => {
      seen.push(n);
      if (n === failing && seen.indexOf(n) === seen.length - 1) throw new Error("busy");
    };
    return partitionBy(
      (fields: Fields) => fields[field] ?? "",
      { lanes: 4, whileRetrying: "wait" },
      (lane$) => lane$.pipe(retryToDLQ<Fields, unknown>(handle, { maxDeliveries: 9, backoff: fixed(200) })),
    );
  };
  /** In which order they were handled to their end for the first time, those of one key. */
  const firsts = (seen: readonly string[], failing: string, isOfKey: (n: number) => boolean): string[] =>
    [...new Set(seen.filter((n, index) => n !== failing || seen.indexOf(n) !== index))].filter((n) => isOfKey(Number(n)));

  it("keeps the keys of each branch in order, and leaves nothing behind", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(8, (n) => ({ n: String(n), customer: String(n % 2), product: String(Math.floor(n / 4)) }));
    const [byCustomer, byProduct]: [string[], string[]] = [[], []];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        tee(ordered("customer", "2", byCustomer), ordered("product", "5", byProduct)),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "retried") >= 1, "one is retried");
    expect(await redis.zcard(orderKey(stream, group))).toBeGreaterThanOrEqual(2);
    await until(async () => total(pipeline.values, "acked") === 8 && (await pending()) === 0, "all are acknowledged", {
      timeoutMs: 30_000,
    });
    expect(firsts(byCustomer, "2", (n) => n % 2 === 0)).toEqual(["0", "2", "4", "6"]);
    expect(firsts(byCustomer, "2", (n) => n % 2 === 1)).toEqual(["1", "3", "5", "7"]);
    expect(firsts(byProduct, "5", (n) => n < 4)).toEqual(["0", "1", "2", "3"]);
    expect(firsts(byProduct, "5", (n) => n >= 4)).toEqual(["4", "5", "6", "7"]);
    await until(async () => (await redis.exists(orderKey(stream, group))) === 0, "no mark is left");
  });
});

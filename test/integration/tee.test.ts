import { acknowledge, bufferAck, dedupe, filterAck, fixed, fromGroup, retryToDLQ, tee, type DedupeOptions, type Fields } from "rxjs-redis-streams";
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

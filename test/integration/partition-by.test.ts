import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fixed, fromGroup, orderKey, partitionBy, retryToDLQ, type Fields, type Receipt } from "rxjs-redis-streams";
import type { Observable } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, helperKeys, total, workbench, type Workbench } from "../support/workbench.js";
import { startWorker } from "../support/worker.js";

const keyed = (keys: number) => (n: number): Record<string, string> => ({ n: String(n), key: `customer-${n % keys}` }); // prettier-ignore
const customer = ({ key = "" }: Fields): string => key;

/** A pipeline whose handler is the test's. */
function inLanes(
  { redis, stream, group }: Workbench,
  handler: (value: Fields) => unknown,
  options: {
    readonly whileRetrying?: "pass" | "wait";
    readonly maxInFlight?: number;
    readonly backoffMs?: number;
    readonly maxDeliveries?: number;
    readonly consumer?: string;
  } = {},
): Observable<Receipt> {
  const { whileRetrying = "pass", backoffMs = 100, maxDeliveries = 5, ...source } = options;
  return fromGroup(redis, { stream, group, startId: "0", ...source }).pipe(
    partitionBy(customer, { lanes: 8, whileRetrying }, (lane$) =>
      lane$.pipe(retryToDLQ((value) => handler(value), { maxDeliveries, backoff: fixed(backoffMs), concurrency: 4 })),
    ),
    bufferAck(),
    acknowledge(redis),
  );
}

describe("partitionBy", () => {
  it("handles the entries of a key in order, and lanes in parallel", async () => {
    const bench = workbench();
    await bench.add(2_000, keyed(40));
    const last = new Map<string, number>();
    let running = 0;
    let most = 0;
    const pipeline = bench.run(
      inLanes(bench, async ({ n, key }) => {
        most = Math.max(most, (running += 1));
        await delay(Math.random() * 4);
        running -= 1;
        expect(Number(n)).toBe((last.get(key!) ?? Number(n) % 40 - 40) + 40); // prettier-ignore
        last.set(key!, Number(n));
      }),
    );
    await until(async () => total(pipeline.values, "acked") === 2_000 && (await bench.pending()) === 0, "all are acknowledged");
    expect(total(pipeline.values, "retried")).toBe(0); // a failed expectation would be one
    expect(most).toBeGreaterThan(8);
    pipeline.subscription.unsubscribe();
    await expectNoConnections(bench.redis);
  });

  it("passes an entry that is retried, unless told to wait", async () => {
    const bench = workbench();
    await bench.add(4, keyed(1));
    const seen: string[] = [];
    bench.run(
      inLanes(bench, ({ n }) => {
        seen.push(n!);
        if (seen.length === 1) throw new Error("once");
      }),
    );
    await until(() => seen.length === 5, "all are handled");
    expect(seen).toEqual(["0", "1", "2", "3", "0"]);
  });
});

describe("partitionBy that waits", () => {
  it("lets later entries of a key wait for one that is retried, in Redis, and nobody else", async () => {
    const bench = workbench();
    const { redis, stream, group } = bench;
    await bench.add(20, keyed(2));
    const seen: Record<string, string[]> = { "customer-0": [], "customer-1": [] };
    let failures = 3;
    const pipeline = bench.run(
      inLanes(
        bench,
        ({ n, key }) => {
          seen[key!]!.push(n!);
          if (n === "4" && (failures -= 1) >= 0) throw new Error("busy");
        },
        { whileRetrying: "wait", backoffMs: 300, maxInFlight: 10 },
      ),
    );
    await until(() => seen["customer-1"]!.length === 10, "the other key is through");
    expect(seen["customer-0"]).toEqual(["0", "2", "4"]);
    await until(async () => (await redis.zcard(helperKeys(stream, group)[1])) === 8, "the rest waits in the schedule");
    expect(await redis.zcard(orderKey(stream, group))).toBe(8);
    await until(() => total(pipeline.values, "acked") === 20, "all are acknowledged");
    expect(seen["customer-0"]).toEqual(["0", "2", "4", "4", "4", "4", "6", "8", "10", "12", "14", "16", "18"]);
    await until(async () => (await bench.pending()) === 0 && (await redis.exists(orderKey(stream, group))) === 0, "nothing is left");
    expect(total(pipeline.values, "deadLettered")).toBe(0);
  });

  it("is bounded by maxDeliveries: a dead letter lets the next one go", async () => {
    const bench = workbench();
    await bench.add(6, keyed(1));
    const seen: string[] = [];
    const pipeline = bench.run(
      inLanes(
        bench,
        ({ n }) => {
          seen.push(n!);
          if (n === "1" || n === "3") throw new Error("never");
        },
        { whileRetrying: "wait", backoffMs: 50, maxDeliveries: 2 },
      ),
    );
    await until(() => total(pipeline.values, "acked") === 4 && total(pipeline.values, "deadLettered") === 2, "all are settled");
    expect(seen).toEqual(["0", "1", "1", "2", "3", "3", "4", "5"]);
    expect(await bench.deadLetters()).toHaveLength(2);
  });

  it("is in order although its process is killed again and again: new entries wait for those that an earlier process retried", async () => {
    const bench = workbench();
    const { redis, stream, group } = bench;
    const done = `${stream}:done`;
    afterwards(() => redis.del(done));
    await bench.add(300, keyed(10));
    const handled = (): Promise<number> => redis.llen(done);
    for (const enough of [80, 180]) {
      const worker = startWorker("ordered-lanes.ts", inject("redisUrl"), stream, group, "only");
      await until(async () => (await handled()) >= enough, `${enough} are handled`, { timeoutMs: 30_000 });
      worker.kill("SIGKILL");
      await once(worker, "exit");
    }
    const worker = startWorker("ordered-lanes.ts", inject("redisUrl"), stream, group, "only");
    await until(async () => (await bench.pending()) === 0 && new Set(await redis.lrange(done, 0, -1)).size === 300, "all are handled", {
      timeoutMs: 30_000,
    });
    worker.kill("SIGKILL");
    const highest = new Map<string, number>();
    for (const entry of await redis.lrange(done, 0, -1)) {
      const n = Number(entry);
      const key = String(n % 10);
      const before = highest.get(key) ?? n % 10 - 10; // prettier-ignore
      expect(n, `after ${before} of key ${key}`).toBeLessThanOrEqual(before + 10); // a repeat, or the next one
      highest.set(key, Math.max(before, n));
    }
    expect(await bench.deadLetters()).toEqual([]);
  });
});

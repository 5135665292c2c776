import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { tap } from "rxjs";
import { acknowledge, fromGroup, rateKey, rateLimit, type Receipt } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import type { Grant } from "../../src/model/sliding-window.js";
import { windowLimit } from "../../src/model/sliding-window.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import { Redis } from "../support/ioredis.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, StatusLog, workbench, type Workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

/** What the server grants from now on, by its own clock: a busy test process sees permits late, and together. */
async function watchGrants(redis: Redis, key: string): Promise<{ readonly atMs: number; readonly count: number }[]> {
  const grants: { atMs: number; count: number }[] = [];
  const socket = connect(redis.options.port!, redis.options.host);
  afterwards(() => socket.destroy());
  const lines = createInterface({ input: socket });
  lines.on("line", (line) => {
    const [, at, words = ""] = /^\+([\d.]+) \[\d+ lua\] "hincrby" (.*)$/i.exec(line) ?? [];
    if (words.includes(key)) grants.push({ atMs: Number(at) * 1_000, count: Number(/"(\d+)"$/.exec(words)?.[1]) });
  });
  socket.write("MONITOR\r\n");
  await once(lines, "line");
  return grants;
}

/** The most that was granted within any `perMs`; a ms is left to rounding. */
const fullest = (grants: readonly { readonly atMs: number; readonly count: number }[], perMs: number): number =>
  Math.max(
    ...grants.map(({ atMs: from }) =>
      grants.filter(({ atMs }) => atMs >= from && atMs < from + perMs - 1).reduce((sum, { count }) => sum + count, 0),
    ),
  );

function permits({ redis, stream, group }: Workbench): (wanted: number, limit: number, perMs: number) => Promise<Grant> {
  const office = toPort(redis).openPermits();
  afterwards(() => office.close());
  return (wanted, limit, perMs) =>
    office.take({ stream, group }, { key: undefined, limit: windowLimit(limit, perMs), wanted }) as Promise<Grant>;
}

describe("take-permits.lua", () => {
  it("lets pass what the window allows, says how long the next one waits, and leaves a key that expires", async () => {
    const bench = workbench();
    const { redis, stream, group } = bench;
    const take = permits(bench);
    expect(await take(3, 5, 60_000)).toEqual({ granted: 3, waitMs: 0 });
    const short = await take(4, 5, 60_000);
    expect(short.granted).toBe(2);
    expect(short.waitMs).toBeGreaterThan(59_000);
    expect(short.waitMs).toBeLessThanOrEqual(60_600);
    expect((await take(1, 5, 60_000)).granted).toBe(0);
    const key = rateKey(stream, group, { limit: 5, perMs: 60_000 });
    expect(await redis.pttl(key)).toBeGreaterThan(59_000);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(60_600);
    await redis.del(key);
  });

  it("lets the next one pass after the wait it gave, and forgets what is out of the window", async () => {
    const bench = workbench();
    const take = permits(bench);
    await take(2, 2, 50);
    const { waitMs } = await take(1, 2, 50);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await until(async () => (await take(2, 2, 50)).granted === 2, "both may pass again");
    expect(await bench.redis.hlen(rateKey(bench.stream, bench.group, { limit: 2, perMs: 50 }))).toBeLessThanOrEqual(2);
  });

  it("counts from now on what stands in the future, after a failover to another clock", async () => {
    const bench = workbench();
    const { redis, stream, group } = bench;
    const key = rateKey(stream, group, { limit: 3, perMs: 60_000 });
    await redis.hset(key, String(Date.now() + 3_600_000), 2);
    const { granted, waitMs } = await permits(bench)(3, 3, 60_000);
    expect(granted).toBe(1);
    expect(waitMs).toBeLessThanOrEqual(60_600);
    expect(await redis.hvals(key)).toEqual(["3"]);
    await redis.del(key);
  });
});

describe("rateLimit of a group", () => {
  const perMs = 400;

  it("is never exceeded by three consumers together, and used up", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    await add(200);
    const limit = 40;
    const grants = await watchGrants(redis, rateKey(stream, group, { limit, perMs }));
    const passed = [0, 0, 0];
    const consumers = passed.map((_, consumer) =>
      run(
        fromGroup(redis, { stream, group, startId: "0", maxInFlight: 30 }).pipe(
          rateLimit(redis, { limit, perMs, scope: "group" }),
          tap(() => (passed[consumer]! += 1)),
          acknowledge(redis),
        ),
      ),
    );
    await until(() => passed.reduce((sum, count) => sum + count) === 200, "all have passed");
    await until(async () => (await pending()) === 0, "all are acked");
    const granted = (): number => grants.reduce((sum, { count }) => sum + count, 0);
    await until(() => granted() === 200, "all grants are seen");
    expect(fullest(grants, perMs)).toBeLessThanOrEqual(limit);
    const tookMs = grants.at(-1)!.atMs - grants[0]!.atMs;
    expect(tookMs).toBeGreaterThanOrEqual(4 * perMs - 1); // 40 at once, and four times more
    expect(tookMs).toBeLessThan(8 * perMs);
    for (const { error } of consumers) expect(error).toBeUndefined();
  });

  it("is shared by processes, and neither exceeded nor lost when one is killed", { timeout: 60_000 }, async () => {
    const { redis, stream, group, add, pending } = workbench();
    const limit = 30;
    const key = rateKey(stream, group, { limit, perMs });
    const grants = await watchGrants(redis, key);
    await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
    const workers = [0, 1].map(() => startWorker("rate-limited.ts", inject("redisUrl"), stream, group, String(limit), String(perMs)));
    await Promise.all(workers.map((worker) => messageFrom(worker, () => true))); // both read
    const busy = workers.map((worker) => messageFrom<{ acked: number }>(worker, ({ acked }) => acked > 0));
    await add(150);
    await Promise.all(busy);
    workers[0]!.kill("SIGKILL");
    const third = startWorker("rate-limited.ts", inject("redisUrl"), stream, group, String(limit), String(perMs));
    await messageFrom(third, () => true);
    const isBusy = messageFrom<{ acked: number }>(third, ({ acked }) => acked > 0);
    await add(90);
    await isBusy;
    await until(async () => (await pending()) <= 20, "but for what the killed one held, all is settled"); // for its lease
    expect(fullest(grants, perMs)).toBeLessThanOrEqual(limit);
    const granted = grants.reduce((sum, { count }) => sum + count, 0);
    expect(granted).toBeGreaterThanOrEqual(240 - 20);
    expect(grants.at(-1)!.atMs - grants[0]!.atMs).toBeLessThan((2 * granted * perMs) / limit);
    await redis.del(key);
  });

  it("keeps the lease of what it holds, and releases it when the pipeline is abandoned", async () => {
    const { redis, stream, group, add, run, pendingRows } = workbench();
    await add(5);
    const log = new StatusLog();
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300, status: log }).pipe(
        rateLimit(redis, { limit: 1, perMs: 60_000, scope: "group" }),
        acknowledge(redis),
      ),
    );
    await until(() => receipts.values.length === 1, "one has passed");
    const began = Date.now();
    await until(async () => Date.now() - began > 900 && (await pendingRows()).every(([, , idleMs]) => idleMs < 300), "leases are renewed");
    expect(log.of("leaseLost")).toEqual([]);
    expect((await pendingRows()).map(([, , , count]) => count)).toEqual([1, 1, 1, 1]);
    receipts.subscription.unsubscribe();
    await until(async () => (await pendingRows()).every(([, , , count]) => count === 0), "the held ones are released");
    await expectNoConnections(redis);
    await redis.del(rateKey(stream, group, { limit: 1, perMs: 60_000 }));
  });

  it("drains what the limit allows, and releases the rest at the deadline", async () => {
    const { redis, stream, group, add, run, pendingRows } = workbench();
    await add(10);
    const controller = new AbortController();
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0", signal: controller.signal, drainTimeoutMs: 700 }).pipe(
        rateLimit(redis, { limit: 2, perMs: 300, scope: "group" }),
        acknowledge(redis),
      ),
    );
    await until(() => receipts.values.length > 0, "the first have passed");
    controller.abort();
    await until(() => receipts.isDone, "the pipeline has completed");
    expect(receipts.error).toBeUndefined();
    const rows = await pendingRows();
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(rows.length).toBeLessThanOrEqual(6);
    expect(rows.map(([, , , count]) => count)).toEqual(rows.map(() => 0));
  });

  it("waits through an outage and goes on", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    await add(20);
    const proxy = await startProxy(inject("redisUrl"));
    afterwards(() => proxy.close());
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => client.disconnect());
    const log = new StatusLog();
    const receipts = run<Receipt>(
      fromGroup(redis, { stream, group, startId: "0", status: log }).pipe(
        rateLimit(client, { limit: 10, perMs: 200, scope: "group", key: `${stream}:api` }),
        acknowledge(redis),
      ),
    );
    await until(() => receipts.values.length > 0, "the first have passed");
    proxy.refuse(true);
    proxy.reset();
    await until(() => log.of("stalled").some(({ cause }) => cause !== undefined), "it is reported");
    proxy.refuse(false);
    await until(async () => (await pending()) === 0 && receipts.values.reduce((sum, { acked }) => sum + acked, 0) === 20, "all are acked");
    expect(receipts.error).toBeUndefined();
  });
});

import { setTimeout as delay } from "node:timers/promises";
import { map, NEVER, tap } from "rxjs";
import {
  acknowledge,
  bufferAck,
  decode,
  dedupe,
  fixed,
  fromGroup,
  retryToDLQ,
  settle,
  type DedupeOptions,
  type Fields,
} from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { Redis } from "../support/ioredis.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, recordCommands, run, total, workbench } from "../support/workbench.js";

const byN: DedupeOptions<Fields> = { key: ({ n = "" }) => n, ttlMs: 60_000, waitMs: 100 };

const prefix = (stream: string, group: string): string => `{${stream}}:dedupe:group:${group}:`;

/** Keys of dedupe by name, with their values. */
async function keysOf(redis: Redis, stream: string): Promise<Record<string, string | null>> {
  const keys = await redis.keys(`{${stream}}:dedupe:*`);
  afterwards(() => (keys.length > 0 && redis.status === "ready" ? redis.del(...keys) : undefined));
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await redis.get(key)] as const)));
}

describe("dedupe", () => {
  it("lets one entry per key pass, and acknowledges the repeats, from here and from another consumer", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(1_000, (n) => ({ n: String(n % 100) }));
    const handled: string[] = [];
    const source = (stop: AbortSignal) =>
      fromGroup(redis, { stream, group, startId: "0", signal: stop }).pipe(
        dedupe(redis, byN),
        retryToDLQ(({ n }) => void handled.push(String(n)), { maxDeliveries: 3 }),
        bufferAck(),
        acknowledge(redis),
      );
    const stops = [new AbortController(), new AbortController()];
    const pipelines = stops.map(({ signal }) => run(source(signal)));
    const sum = (name: "acked" | "duplicates"): number => pipelines.reduce((all, { values }) => all + total(values, name), 0);
    await until(async () => sum("acked") + sum("duplicates") === 1_000 && (await pending()) === 0, "all are settled");
    expect([...handled].sort()).toEqual(Array.from({ length: 100 }, (_, n) => String(n)).sort());
    expect([sum("acked"), sum("duplicates")]).toEqual([100, 900]);
    const keys = await keysOf(redis, stream);
    expect(Object.keys(keys)).toHaveLength(100);
    expect(new Set(Object.values(keys))).toEqual(new Set(["done"]));
    const ttl = await redis.pttl(`${prefix(stream, group)}=7`);
    expect(ttl).toBeGreaterThan(40_000);
    expect(ttl).toBeLessThanOrEqual(60_000);
    for (const stop of stops) stop.abort();
    await until(() => pipelines.every(({ isDone }) => isDone), "both have drained");
    await expectNoConnections(redis);
  });

  it("asks once for all that one loop brings, and marks in the script that acknowledges", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(400);
    const commands = await recordCommands(redis, stream);
    const order: string[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, byN),
        tap((item) => order.push(item._tag === "Delivery" ? String(item.value["n"]) : "settled")),
        bufferAck({ maxSize: 400, maxWaitMs: 1_000 }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 400, "all are acknowledged");
    await keysOf(redis, stream);
    expect(order).toEqual(Array.from({ length: 400 }, (_, n) => String(n)));
    expect(
      commands.filter((words) => words[0] === "evalsha" && words.includes("take") && words.includes(`${prefix(stream, group)}=1`)),
    ).toHaveLength(1);
    expect(commands.filter((words) => words[0] === "evalsha" && words.includes("mark"))).toHaveLength(1);
    expect(commands.filter(([name]) => name === "xack")).toEqual([]);
  });

  it("never acknowledges a repeat before the first is done, and handles it when the first fails for good", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(3, () => ({ n: "same" }));
    const seen: [string, number][] = [];
    let finish: (() => void) | undefined;
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, byN),
        retryToDLQ(
          (_, { id, deliveryCount }) => {
            seen.push([id, deliveryCount]);
            if (seen.length === 1) return new Promise<void>((_resolve, reject) => (finish = () => reject(new Error("for good"))));
            return undefined;
          },
          { maxDeliveries: 5, retryable: () => false },
        ),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "released") >= 4, "both repeats were set aside, more than once");
    expect([await pending(), total(pipeline.values, "duplicates"), seen.length]).toEqual([3, 0, 1]);
    finish?.();
    await until(async () => (await pending()) === 0, "all are settled");
    await keysOf(redis, stream);
    expect(await deadLetters()).toHaveLength(1);
    expect(seen).toHaveLength(2);
    expect(seen[1]![1]).toBe(1); // the delivery count is about handlers: waiting does not count
    expect([total(pipeline.values, "acked"), total(pipeline.values, "duplicates")]).toEqual([1, 1]);
  });

  it("gives the claim back with a retry and with a release, and takes it up again", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(2);
    const counts: number[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", recover: false }).pipe(
        dedupe(redis, byN),
        map((delivery) => {
          if (delivery._tag === "Settled") return delivery;
          counts.push(delivery.deliveryCount);
          if (counts.length === 1) return settle.retry(delivery, { delayMs: 300 });
          return counts.length === 2 ? settle.release(delivery, { delayMs: 300 }) : delivery;
        }),
        bufferAck({ maxSize: 2 }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "retried") === 1 && total(pipeline.values, "released") === 1, "both wait");
    expect(await keysOf(redis, stream)).toEqual({});
    await until(async () => (await pending()) === 0, "both are handled");
    expect(counts.slice(2).sort()).toEqual([1, 2]);
    expect(new Set(Object.values(await keysOf(redis, stream)))).toEqual(new Set(["done"]));
  });

  it("handles an entry again whose consumer went before the ack, at once and with its own claim", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(1);
    const first = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, byN),
        retryToDLQ(() => NEVER, { maxDeliveries: 3 }),
        acknowledge(redis),
      ),
    );
    await until(async () => Object.keys(await keysOf(redis, stream)).length === 1, "the key is claimed");
    first.subscription.unsubscribe();
    const begun = Date.now();
    const second = run(fromGroup(redis, { stream, group, startId: "0" }).pipe(dedupe(redis, byN), acknowledge(redis)));
    await until(() => total(second.values, "acked") === 1, "it is handled");
    expect(Date.now() - begun).toBeLessThan(10_000);
    expect(Object.values(await keysOf(redis, stream))).toEqual(["done"]);
  });

  it("waits for the claim of a dead process for claimMs and no longer, and renews its own", async () => {
    const { redis, stream, group, add, run } = workbench();
    const key = `${prefix(stream, group)}=0`;
    await redis.set(key, "an entry that nobody has", "PX", 700);
    await add(1);
    const begun = Date.now();
    let finish: (() => void) | undefined;
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, { ...byN, claimMs: 600 }),
        retryToDLQ(() => new Promise<void>((resolve) => (finish = resolve)), { maxDeliveries: 3 }),
        acknowledge(redis),
      ),
    );
    await until(() => finish !== undefined, "it passes");
    expect(Date.now() - begun).toBeGreaterThan(600);
    await delay(1_500); // more than two claims' time
    expect(await redis.get(key)).toContain(stream);
    finish?.();
    await until(() => total(pipeline.values, "acked") === 1, "it is acknowledged");
    expect(await redis.get(key)).toBe("done");
    await redis.del(key);
  });

  it("marks once when the reply of the script is lost", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const proxy = await startProxy(inject("redisUrl"));
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => proxy.close());
    afterwards(() => client.disconnect());
    await add(50);
    const cut = proxy.cutReplyWhen((request) => request.includes("mark"));
    const handled: string[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, byN),
        retryToDLQ(({ n }) => void handled.push(String(n)), { maxDeliveries: 3 }),
        bufferAck(),
        acknowledge(client),
      ),
    );
    await cut;
    await until(
      async () => (await pending()) === 0 && total(pipeline.values, "acked") + total(pipeline.values, "notPending") === 50,
      "all are settled",
    );
    await add(50);
    await until(() => total(pipeline.values, "duplicates") === 50, "all repeats are known");
    expect(handled).toHaveLength(50);
    expect(new Set(Object.values(await keysOf(redis, stream)))).toEqual(new Set(["done"]));
  });

  it("marks with ackAndDelete, and after a codec that takes its time", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(60, (n) => ({ n: String(n % 20) }));
    const Order = z.object({ n: z.string() }).refine(async () => Promise.resolve(true));
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        decode(Order),
        dedupe(redis, { key: ({ n }) => n, ttlMs: 60_000, waitMs: 50 }),
        bufferAck(),
        acknowledge(redis, { mode: "ackAndDelete" }),
      ),
    );
    await until(() => total(pipeline.values, "duplicates") === 40 && total(pipeline.values, "acked") === 20, "all are settled");
    expect(Object.keys(await keysOf(redis, stream))).toHaveLength(20);
    expect(await redis.xlen(stream)).toBe(0);
  });

  it.each([
    ["group", 2],
    ["stream", 1],
  ])("knows a key in its scope: %s", async (scope, handlings) => {
    const { redis, stream, group, add, run } = workbench();
    await add(1);
    const handled: string[] = [];
    const of = (name: string) =>
      run(
        fromGroup(redis, { stream, group: name, startId: "0" }).pipe(
          dedupe(redis, { ...byN, scope }),
          retryToDLQ(() => void handled.push(name), { maxDeliveries: 3 }),
          acknowledge(redis),
        ),
      );
    const [one, other] = [of(group), of("other")];
    const settled = (): number => [one, other].reduce((all, { values }) => all + total(values, "acked") + total(values, "duplicates"), 0);
    await until(() => settled() === 2, "both groups have settled it");
    await keysOf(redis, stream);
    expect(handled).toHaveLength(handlings);
  });

  it("knows a key of a shared scope in two streams", async () => {
    const [one, other] = [workbench(), workbench()];
    const scope = `{${one.stream}}:payments`;
    let handled = 0;
    for (const { add } of [one, other]) await add(5);
    const pipelines = [one, other].map(({ stream, group, redis }) =>
      run(
        fromGroup(redis, { stream, group, startId: "0" }).pipe(
          dedupe(redis, { ...byN, scope }),
          retryToDLQ(() => void (handled += 1), { maxDeliveries: 3 }),
          acknowledge(redis),
        ),
      ),
    );
    await until(
      () => pipelines.reduce((all, { values }) => all + total(values, "acked") + total(values, "duplicates"), 0) === 10,
      "all are settled",
    );
    const keys = await one.redis.keys(`${scope}:dedupe:shared:*`);
    expect(keys).toHaveLength(5);
    await one.redis.del(...keys);
    expect(handled).toBe(5);
  });

  it("moves what has no key to the dead letters, and hashes keys that are long", async () => {
    const { redis, stream, group, add, deadLetters, pending, run } = workbench();
    await add(3, (n) => ({ n: ["x".repeat(5_000), "", "throws"][n]! }));
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, {
          ...byN,
          key: ({ n = "" }) => {
            if (n === "throws") throw new Error("no key");
            return n;
          },
        }),
        acknowledge(redis),
      ),
    );
    await until(
      async () => total(pipeline.values, "acked") + total(pipeline.values, "deadLettered") === 3 && (await pending()) === 0,
      "all are settled",
    );
    expect(await deadLetters()).toHaveLength(2);
    const [key = ""] = Object.keys(await keysOf(redis, stream));
    expect(key).toMatch(/:#[\w-]{43}$/);
  });

  it("with retries: an entry is done when its last attempt is", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(20, (n) => ({ n: String(n % 10) }));
    const attempts = new Map<string, number>();
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        dedupe(redis, byN),
        retryToDLQ(
          ({ n = "" }) => {
            attempts.set(n, (attempts.get(n) ?? 0) + 1);
            if (attempts.get(n) === 1) throw new Error("once");
          },
          { maxDeliveries: 5, backoff: fixed(20) },
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => attempts.size === 10 && (await pending()) === 0, "all are settled");
    expect([...attempts.values()]).toEqual(Array.from({ length: 10 }, () => 2));
    await keysOf(redis, stream);
  });
});

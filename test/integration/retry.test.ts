import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import type { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { helperKeys, recordCommands, StatusLog, workbench } from "../support/workbench.js";
import { startWorker } from "../support/worker.js";

/** The value below which nine tenths and a half of the numbers are. */
const p95 = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.ceil(numbers.length * 0.95) - 1] ?? NaN;

/** An entry is added, given to a consumer that fails with it, and scheduled; that consumer is not heard of again. */
const failAndDie = `
local id = redis.call('XADD', KEYS[1], '*', 'n', '1')
redis.call('XREADGROUP', 'GROUP', ARGV[1], 'dead', 'COUNT', 1, 'STREAMS', KEYS[1], '>')
local clock = redis.call('TIME')
local due = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[2])
redis.call('ZADD', KEYS[2], due, id)
return { id, due }`;

describe("a retry", () => {
  it("is taken up within 100 ms of being due (p95), while the source is idle otherwise", async () => {
    const { redis, stream, group, add, run } = workbench();
    const failedAt = new Map<string, number>();
    const lateMs: number[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(
          ({ n = "" }, { deliveryCount }) => {
            if (deliveryCount === 2) return void lateMs.push(Date.now() - failedAt.get(n)! - 700);
            failedAt.set(n, Date.now());
            throw new Error("once");
          },
          { maxDeliveries: 5, backoff: fixed(700) },
        ),
        bufferAck({ maxWaitMs: 1 }),
        acknowledge(redis),
      ),
    );
    for (let wave = 0; wave < 20; wave += 1) {
      await add(1, () => ({ n: String(wave) }));
      await until(() => failedAt.size > wave, "it has failed");
    }
    await until(() => lateMs.length === 20, "all came back");
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(-5);
    expect(p95(lateMs)).toBeLessThan(100);
  });

  it("comes back soon, however many others are written with it", async () => {
    const { redis, stream, group, add, deadLetters, run } = workbench();
    await add(1_000);
    run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 60_000 }).pipe(
        retryToDLQ(() => Promise.reject(new Error("always")), { maxDeliveries: 2, backoff: fixed(10), concurrency: 1_000 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1_000, "all have failed twice");
  });

  it("scheduled by a consumer that is gone is taken up by another, when it is due and not before", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(20);
    const first = run(
      fromGroup(redis, { stream, group, consumer: "gone", startId: "0" }).pipe(
        retryToDLQ(() => Promise.reject(new Error("later")), { maxDeliveries: 5, backoff: fixed(2_500) }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.zcard(helperKeys(stream, group)[1])) === 20, "all wait for their retry");
    const dueAt = Number((await redis.zrange(helperKeys(stream, group)[1], "0", "0", "WITHSCORES"))[1]);
    first.subscription.unsubscribe();
    const taken: number[] = [];
    const status = new StatusLog();
    run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300, status }).pipe(
        retryToDLQ((_, { deliveryCount }) => void taken.push(Date.now() - dueAt, deliveryCount), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => taken.length === 40, "all are taken up");
    const lateMs = taken.filter((_, index) => index % 2 === 0);
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(-5);
    expect(p95(lateMs)).toBeLessThan(150);
    expect(new Set(taken.filter((_, index) => index % 2 === 1))).toEqual(new Set([2]));
    expect(status.of("recovered").every(({ from }) => from === "retry")).toBe(true);
  });

  it("costs no credit and no polling while it waits", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(500);
    const handled: string[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 10, leaseMs: 200 }).pipe(
        retryToDLQ(
          ({ n = "" }) => {
            if (Number(n) < 500) throw new Error("tomorrow");
            handled.push(n);
          },
          { maxDeliveries: 5, backoff: fixed(86_400_000) },
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.zcard(helperKeys(stream, group)[1])) === 500, "all wait until tomorrow");
    await add(1, () => ({ n: "500" }));
    await until(() => handled.length === 1, "a new one is handled all the same");
    const commands = await recordCommands(redis, stream);
    const begun = Date.now();
    await until(() => Date.now() - begun > 2_000, "two seconds have passed");
    expect(await pending()).toBe(500);
    expect(commands.length).toBeLessThan(2 * 3 + (2_000 / 50) * 2);
    expect(handled).toEqual(["500"]);
  });

  it("scheduled by a process that was killed is taken up within 100 ms of being due (p95)", { timeout: 60_000 }, async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const retries = helperKeys(stream, group)[1];
    await add(40);
    const worker = startWorker("fail-once.ts", inject("redisUrl"), stream, group, "4000");
    await until(async () => (await redis.zcard(retries)) === 40, "all wait for their retry", { timeoutMs: 30_000 });
    worker.kill("SIGKILL");
    const scores = await redis.zrange(retries, "0", "-1", "WITHSCORES");
    const dueAt = new Map(scores.flatMap((word, index) => (index % 2 === 0 ? [[word, Number(scores[index + 1])] as const] : [])));
    const taken: { readonly lateMs: number; readonly deliveryCount: number }[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ((_, { id, deliveryCount }) => void taken.push({ lateMs: Date.now() - dueAt.get(id)!, deliveryCount }), {
          maxDeliveries: 5,
        }),
        acknowledge(redis),
      ),
    );
    await until(() => taken.length === 40, "all came back");
    expect(new Set(taken.map(({ deliveryCount }) => deliveryCount))).toEqual(new Set([2]));
    const lateMs = taken.map((each) => each.lateMs);
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(-5);
    expect(p95(lateMs)).toBeLessThan(100);
    await until(async () => (await pending()) === 0, "nothing is pending");
  });

  it("of less than a second, whose process dies at once, is taken up within 100 ms of being due (p95)", async () => {
    const { redis, stream, group, run } = workbench();
    const retries = helperKeys(stream, group)[1];
    const takenAt = new Map<string, number>();
    const dueAt = new Map<string, number>();
    const status = new StatusLog();
    run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(
        retryToDLQ((_, { id }) => void takenAt.set(id, Date.now()), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => status.tags().includes("reading"), "it reads");
    for (let wave = 0; wave <= 20; wave += 1) {
      const [id, due] = (await redis.eval(failAndDie, 2, stream, retries, group, 60 + 20 * wave)) as [string, string];
      dueAt.set(id, Number(due));
      const gap = wave === 0 ? 2_000 : Math.random() * 300; // from the first on it knows that others schedule such retries
      const begun = Date.now();
      await until(() => Date.now() - begun > gap, "the next one fails");
    }
    await until(() => takenAt.size === 21, "all came back");
    const lateMs = [...takenAt].slice(1).map(([id, at]) => at - dueAt.get(id)!);
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(-5);
    expect(p95(lateMs)).toBeLessThan(100);
  });

  it("costs no more while a hundred thousand of them wait", { timeout: 120_000 }, async () => {
    const server = await ownServer();
    const { redis, stream, group, add, run } = workbench(server.url);
    const retries = helperKeys(stream, group)[1];
    await add(1);
    await redis.xgroup("CREATE", stream, group, "0");
    const fill = `for n = 1, 5000 do
      redis.call('ZADD', KEYS[2], ARGV[1] + n, redis.call('XADD', KEYS[1], '*', 'n', 'x'))
    end
    redis.call('XREADGROUP', 'GROUP', ARGV[2], 'gone', 'STREAMS', KEYS[1], '>')`;
    for (let page = 0; page < 20; page += 1) await redis.eval(fill, 2, stream, retries, Date.now() + 86_400_000, group);
    expect(await redis.zcard(retries)).toBe(100_000);
    await redis.config("SET", "slowlog-log-slower-than", "5000");
    await redis.call("slowlog", "reset");
    const handled: string[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0", recover: false, maxInFlight: 10 }).pipe(
        retryToDLQ(({ n = "" }) => void handled.push(n), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await add(1, () => ({ n: "new" }));
    await until(() => handled.length === 1, "a new one is handled");
    const before = await asked(redis);
    const begun = Date.now();
    await until(() => Date.now() - begun > 4_000, "four seconds have passed");
    const after = await asked(redis);
    expect((after.count - before.count) / 4).toBeLessThan(5);
    expect((after.micros - before.micros) / 4_000_000).toBeLessThan(0.01);
    expect(handled).toEqual(["new"]);
    const slow = (await redis.call("slowlog", "get")) as [number, number, number, string[]][];
    expect(slow.filter(([, , , words]) => words.includes(stream)).map(([, , micros, words]) => [micros, words[0]])).toEqual([]);
  });
});

/** What sources and sinks have asked of the server, and how long it took. */
async function asked(redis: Redis): Promise<{ count: number; micros: number }> {
  const stats = [...(await redis.info("commandstats")).matchAll(/cmdstat_(?:xreadgroup|evalsha|eval|xack):calls=(\d+),usec=(\d+)/g)];
  return stats.reduce((sum, [, count, micros]) => ({ count: sum.count + Number(count), micros: sum.micros + Number(micros) }), {
    count: 0,
    micros: 0,
  });
}

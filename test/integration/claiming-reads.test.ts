import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import type { Redis } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { helperKeys, recordCommands, StatusLog, total, workbench } from "../support/workbench.js";

/** Whether the server takes XREADGROUP … CLAIM: Redis 8.4 and later. What users see is the same on all of them. */
async function serverClaims(redis: Redis, stream: string, group: string): Promise<boolean> {
  try {
    await redis.call("xreadgroup", "group", group, "probe", "count", 1, "claim", 3_600_000, "streams", stream, ">");
    return true;
  } catch (error) {
    if (/syntax error/.test(String(error))) return false;
    throw error;
  } finally {
    await redis.xgroup("DELCONSUMER", stream, group, "probe");
  }
}

const seconds = async (count: number): Promise<void> => {
  const begun = Date.now();
  await until(() => Date.now() - begun > count * 1_000, `${count} s have passed`);
};

describe("stale entries, retries and new entries", () => {
  it("come by one blocked read where the server claims, and idle consumers send fewer commands", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(1);
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0" }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(pipeline.values, "acked") === 1, "the first is acknowledged");
    const claims = await serverClaims(redis, stream, group);
    const commands = await recordCommands(redis, stream);
    await seconds(6);
    const perSecond = commands.length / 6;
    const reads = commands.filter(([name]) => name === "xreadgroup");
    console.log(`idle: ${perSecond.toFixed(1)} commands/s, reads claim: ${claims}`);
    expect(reads.every((words) => words.includes("claim") === claims)).toBe(true);
    expect(perSecond).toBeLessThan(claims ? 2 : 3);
  });

  it("are claimed within the blocked read, with the delivery count of Redis, and reported", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    const ids = await add(5);
    await redis.xgroup("CREATE", stream, group, "0");
    const status = new StatusLog();
    const seen: [id: string, count: number][] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 400, status }).pipe(
        retryToDLQ((_, { id, deliveryCount }) => void seen.push([id, deliveryCount]), { maxDeliveries: 9 }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 5, "new ones are handled");
    const more = await add(0);
    for (let n = 0; n < 3; n += 1) more.push(String(await redis.xadd(stream, "*", "n", `late ${n}`)));
    await until(() => total(pipeline.values, "acked") === 8, "and those after them");
    // a consumer that dies with two entries
    await redis.xgroup("SETID", stream, group, ids[2]!);
    await redis.xreadgroup("GROUP", group, "dead", "COUNT", 2, "STREAMS", stream, ">");
    await until(async () => (await pending()) === 0, "what it left behind is settled");
    expect(seen.filter(([, count]) => count === 2).map(([id]) => id)).toEqual(ids.slice(3));
    expect(status.of("recovered").some(({ from }) => from === "stale")).toBe(true);
  });

  it("that wait for a retry are not handed out for being idle, however many, nor counted", async () => {
    const { redis, stream, group, add, run, pendingRows } = workbench();
    await add(300);
    const handled: string[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300, maxInFlight: 100 }).pipe(
        retryToDLQ(({ n = "" }) => (Number(n) < 300 ? Promise.reject(new Error("tomorrow")) : void handled.push(n)), {
          maxDeliveries: 5,
          backoff: fixed(86_400_000),
        }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.zcard(helperKeys(stream, group)[1])) === 300, "all wait until tomorrow");
    const commands = await recordCommands(redis, stream);
    await seconds(3);
    await redis.xadd(stream, "*", "n", "300");
    await until(() => handled.length === 1, "a new one is handled");
    expect((await pendingRows(400)).filter(([, , , count]) => count !== 1)).toEqual([]);
    expect(total(pipeline.values, "retried")).toBe(300);
    expect(commands.length).toBeLessThan(3 * 45); // sweeps of a lease of 300 ms: nothing is claimed and put back all the time
  });

  it("handed to a consumer whose event loop hung are not handled twice at once", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    await add(1);
    let running = 0;
    let most = 0;
    let calls = 0;
    run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300 }).pipe(
        retryToDLQ(
          async () => {
            calls += 1;
            running += 1;
            most = Math.max(most, running);
            const until = Date.now() + 700;
            if (calls === 1) while (Date.now() < until); // no renewal meanwhile
            await seconds(0.8);
            running -= 1;
          },
          { maxDeliveries: 9, concurrency: 10 },
        ),
        acknowledge(redis),
      ),
    );
    await until(async () => calls > 0 && running === 0 && (await pending()) === 0, "it is settled");
    expect({ most, calls }).toEqual({ most: 1, calls: 1 });
  });

  it("are taken up by the scheduler or another within 100 ms of being due (p95), each once", async () => {
    const { redis, stream, group, add, run } = workbench();
    const dueAt = new Map<string, number>();
    const late: number[] = [];
    const consumer = (): void =>
      void run(
        fromGroup(redis, { stream, group, startId: "0" }).pipe(
          retryToDLQ(
            ({ n = "" }, { deliveryCount }) => {
              if (deliveryCount > 1) return void late.push(Date.now() - dueAt.get(n)!);
              dueAt.set(n, Date.now() + 300);
              throw new Error("once");
            },
            { maxDeliveries: 5, backoff: fixed(300) },
          ),
          bufferAck({ maxWaitMs: 1 }),
          acknowledge(redis),
        ),
      );
    consumer();
    consumer();
    for (let wave = 0; wave < 30; wave += 1) {
      await add(1, () => ({ n: String(wave) }));
      await until(() => dueAt.size > wave, "it has failed");
    }
    await until(() => late.length >= 30, "all came back");
    await seconds(0.3);
    expect(late).toHaveLength(30);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-5);
    expect(late.sort((one, other) => one - other)[28]).toBeLessThan(100);
  });
});

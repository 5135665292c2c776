import { acknowledge, bufferAck, fromClaims, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { expectNoConnections, helperKeys, recordCommands, StatusLog, total, workbench, type Workbench } from "../support/workbench.js";

/** Entries that a consumer took and never settled. */
async function abandoned({ redis, stream, group, add }: Workbench, count: number): Promise<string[]> {
  const ids = await add(count);
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "gone", "COUNT", count, "STREAMS", stream, ">");
  return ids;
}

describe("fromClaims", () => {
  it("takes over what another consumer left, with its delivery count, and reads nothing new", async () => {
    const bench = workbench();
    const { redis, stream, group, add, pending, run } = bench;
    const ids = await abandoned(bench, 1_200);
    await add(5);
    const stop = new AbortController();
    const seen: [string, number][] = [];
    const pipeline = run(
      fromClaims(redis, { stream, group, minIdleMs: 100, everyMs: 50, maxInFlight: 70, signal: stop.signal }).pipe(
        retryToDLQ((_, { id, deliveryCount }) => void seen.push([id, deliveryCount]), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 1_200, "all are taken over and handled");
    expect(seen).toHaveLength(1_200);
    expect(new Map(seen)).toEqual(new Map(ids.map((id) => [id, 2])));
    expect(await pending()).toBe(0);
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    expect(pipeline.error).toBeUndefined();
    await expectNoConnections(redis);
  });

  it("leaves alone what waits for a retry, what is renewed, and acks away what was deleted", async () => {
    const bench = workbench();
    const { redis, stream, group, pendingRows, run } = bench;
    const ids = await abandoned(bench, 6);
    await redis.zadd(helperKeys(stream, group)[1], Date.now() + 60_000, ids[0]!);
    await redis.xdel(stream, ids[1]!);
    await redis.xclaim(stream, group, "alive", 0, ids[2]!, "JUSTID");
    const status = new StatusLog();
    const renewing = setInterval(() => void redis.xclaim(stream, group, "alive", 0, ids[2]!, "JUSTID"), 50);
    const pipeline = run(fromClaims(redis, { stream, group, minIdleMs: 400, everyMs: 50, status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(pipeline.values, "acked") === 3, "the other three are handled");
    clearInterval(renewing);
    expect(status.of("tombstone")).toEqual([{ _tag: "tombstone", stream, ids: [ids[1]] }]);
    expect((await pendingRows()).map(([id]) => id)).toContain(ids[0]);
  });

  it("waits for a group that does not exist yet, and sends little meanwhile", async () => {
    const { redis, stream, group, add, run } = workbench();
    const commands = await recordCommands(redis, stream);
    const pipeline = run(fromClaims(redis, { stream, group, minIdleMs: 100, everyMs: 200 }).pipe(acknowledge(redis)));
    await until(() => commands.length >= 5, "it has looked a few times");
    expect(pipeline.error).toBeUndefined();
    await abandoned({ redis, stream, group, add } as Workbench, 10);
    await until(() => total(pipeline.values, "acked") === 10, "they are taken over");
  });

  it("never takes what a fromGroup of the same process has in flight", async () => {
    const { redis, stream, group, add, run } = workbench();
    const handled: string[] = [];
    const worker = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300 }).pipe(
        retryToDLQ(({ n = "" }) => new Promise<void>((resolve) => setTimeout(() => resolve(void handled.push(n)), 900)), {
          maxDeliveries: 5,
        }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    const rescue = run(fromClaims(redis, { stream, group, minIdleMs: 300, everyMs: 20 }).pipe(bufferAck(), acknowledge(redis)));
    await add(10);
    await until(() => total(worker.values, "acked") === 10, "all are handled");
    expect(handled).toHaveLength(10);
    expect(rescue.values).toEqual([]);
  });
});

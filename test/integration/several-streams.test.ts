import { randomUUID } from "node:crypto";
import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, helperKeys, recordCommands, StatusLog, total, workbench } from "../support/workbench.js";

describe("one source that reads several streams", () => {
  it("handles all of them within one window, and recovers when one vanishes", async () => {
    const { redis, group, run } = workbench();
    const streams = Array.from({ length: 5 }, () => `test:${randomUUID()}`);
    afterwards(() => redis.del(...streams));
    const fill = async (count: number): Promise<void> => {
      for (const stream of streams) for (let n = 0; n < count; n += 1) await redis.xadd(stream, "*", "n", n);
    };
    await fill(40);
    const seen = new Map<string, number>();
    const status = new StatusLog();
    const pipeline = run(
      fromGroup(redis, { stream: streams, group, startId: "0", maxInFlight: 12, status }).pipe(
        retryToDLQ((_, { stream }) => void seen.set(stream, (seen.get(stream) ?? 0) + 1), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 200, "all are handled");
    expect([...seen.values()]).toEqual([40, 40, 40, 40, 40]);
    await redis.del(streams[2]!);
    await fill(1);
    await until(() => total(pipeline.values, "acked") >= 205, "what came after is handled");
    expect(status.of("groupRecreated").map(({ stream }) => stream)).toContain(streams[2]);
  });
});

describe("a client with a keyPrefix", () => {
  it("reads and writes the prefixed keys, and says their names without it", async () => {
    const { redis, stream, group, run } = workbench();
    const prefixed = redis.duplicate({ keyPrefix: "app:" });
    afterwards(() => prefixed.disconnect());
    afterwards(() => redis.del(`app:${stream}`, ...helperKeys(`app:${stream}`, group)));
    for (let n = 0; n < 10; n += 1) await prefixed.xadd(stream, "*", "n", n);
    const pipeline = run(
      fromGroup(prefixed, { stream, group, startId: "0" }).pipe(
        retryToDLQ(({ n }) => n === "3" && Promise.reject(new Error("no")), { maxDeliveries: 2, backoff: fixed(5) }),
        acknowledge(prefixed),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 9 && total(pipeline.values, "deadLettered") === 1, "all are settled");
    expect(pipeline.values[0]?.stream).toBe(stream);
    expect(await redis.xlen(helperKeys(`app:${stream}`, group)[0])).toBe(1);
  });

  it("and every other option that harms a reader is overridden", async () => {
    const { redis, stream, group, add, run } = workbench();
    const odd = redis.duplicate({
      commandTimeout: 100,
      enableAutoPipelining: true,
      stringNumbers: true,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      lazyConnect: true,
    });
    afterwards(() => odd.disconnect());
    const status = new StatusLog();
    const pipeline = run(fromGroup(odd, { stream, group, startId: "0", blockMs: 1_000, status }).pipe(bufferAck(), acknowledge(odd)));
    await until(() => status.tags().includes("reading"), "it reads");
    const commands = await recordCommands(redis, stream);
    await until(() => commands.filter(([name]) => name === "xreadgroup").length >= 2, "a read has ended with nothing");
    await add(10);
    await until(() => total(pipeline.values, "acked") === 10, "all are handled");
    expect(status.tags()).not.toContain("reconnecting");
  });
});

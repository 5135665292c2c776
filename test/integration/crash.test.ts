import { once } from "node:events";
import { acknowledge, bufferAck, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, StatusLog, total, workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

describe("a consumer that is killed in the middle of a batch", () => {
  it("loses nothing: another one handles what it held, when its lease has run out", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    afterwards(() => redis.del(`${stream}:handled`));
    await add(1_000);
    const worker = startWorker("hold-batch.ts", inject("redisUrl"), stream, group, "victim", "1000");
    await messageFrom<{ handled: number }>(worker, ({ handled }) => handled > 100);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    expect(await pending()).toBeGreaterThan(0);

    const status = new StatusLog();
    const rescue = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 1_000, status }).pipe(
        retryToDLQ(({ n }) => redis.sadd(`${stream}:handled`, String(n)), { maxDeliveries: 5, concurrency: 100 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(
      async () => (await redis.scard(`${stream}:handled`)) === 1_000 && (await pending()) === 0,
      "every entry is handled and none pending",
    );
    expect(status.of("recovered").filter(({ from }) => from === "stale").length).toBeGreaterThan(0);
    expect(total(rescue.values, "deadLettered")).toBe(0);
  });

  it("finds its own entries again under the same name at once, and counts the delivery", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(300);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "stable", "COUNT", 200, "STREAMS", stream, ">");
    const status = new StatusLog();
    const seen: [string, number][] = [];
    run(
      fromGroup(redis, { stream, group, consumer: "stable", startId: "0", maxInFlight: 50, leaseMs: 60_000, status }).pipe(
        retryToDLQ((fields, { deliveryCount }) => void seen.push([fields["n"] ?? "", deliveryCount]), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => seen.length === 300 && (await pending()) === 0, "all are handled");
    expect(seen.slice(0, 200)).toEqual(Array.from({ length: 200 }, (_, n) => [String(n), 2]));
    expect(seen.slice(200)).toEqual(Array.from({ length: 100 }, (_, n) => [String(n + 200), 1]));
  });

  it("moves an entry that kills its consumers to the dead letters without running the handler again", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(1);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "victim", "COUNT", 1, "STREAMS", stream, ">");
    for (const consumer of ["second", "third"]) await redis.xautoclaim(stream, group, consumer, 0, "0-0");
    let calls = 0;
    run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 100 }).pipe(
        retryToDLQ(() => void (calls += 1), { maxDeliveries: 3 }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "it is a dead letter");
    expect(calls).toBe(0);
    expect((await deadLetters())[0]?.[1][1]).toContain("DeliveriesExhaustedError");
  });

  it("acks entries away that were trimmed while pending, and reports them", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const ids = await add(10);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "stable", "COUNT", 10, "STREAMS", stream, ">");
    await redis.xdel(stream, ...ids.slice(0, 4));
    const status = new StatusLog();
    const pipeline = run(
      fromGroup(redis, { stream, group, consumer: "stable", startId: "0", status }).pipe(bufferAck(), acknowledge(redis)),
    );
    await until(async () => (await pending()) === 0, "nothing is pending");
    await until(() => total(pipeline.values, "acked") === 6, "the six that are left are handled");
    expect(status.of("tombstone")).toEqual([{ _tag: "tombstone", stream, ids: ids.slice(0, 4) }]);
  });
});

import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fromGroup, retryToDLQ, type Delivery } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { expectNoConnections, StatusLog, total, workbench } from "../support/workbench.js";

describe("draining", () => {
  it("stops reading, finishes what is in flight, acknowledges it, and completes", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(1_000);
    const stop = new AbortController();
    const status = new StatusLog();
    let handled = 0;
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 50, signal: stop.signal, status }).pipe(
        retryToDLQ(() => delay(20).then(() => void (handled += 1)), { maxDeliveries: 5, concurrency: 10 }),
        bufferAck({ maxSize: 40, maxWaitMs: 10_000 }),
        acknowledge(redis),
      ),
    );
    await until(() => handled > 20, "it is in the middle");
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    expect(pipeline.error).toBeUndefined();
    expect(total(pipeline.values, "acked")).toBe(handled);
    expect(handled).toBeLessThan(200);
    expect(await pending()).toBe(0);
    expect(status.seen.at(-1)).toEqual({ _tag: "stopped", reason: "drained", released: 0 });
    await expectNoConnections(redis);
  });

  it("takes no longer than the work does while the reader is blocked", async () => {
    const { redis, stream, group, run } = workbench();
    const stop = new AbortController();
    const status = new StatusLog();
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", blockMs: 60_000, signal: stop.signal, status }).pipe(bufferAck(), acknowledge(redis)),
    );
    await until(() => status.tags().includes("reading"), "it reads");
    const begun = Date.now();
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    expect(Date.now() - begun).toBeLessThan(500);
  });

  it("releases what is not settled in time, with its delivery count, aborts its signal, and completes", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(30);
    const stop = new AbortController();
    const status = new StatusLog();
    const signals: AbortSignal[] = [];
    const hang = (_: unknown, delivery: Delivery<unknown>): Promise<void> => {
      signals.push(delivery.signal);
      return new Promise(() => undefined);
    };
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", signal: stop.signal, drainTimeoutMs: 200, status }).pipe(
        retryToDLQ(hang, { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => signals.length === 16, "the handlers hang");
    stop.abort();
    await until(() => pipeline.isDone, "it has given up");
    expect(pipeline.error).toBeUndefined();
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    expect(status.seen.at(-1)).toEqual({ _tag: "stopped", reason: "drained", released: 30 });

    const counts: number[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 60_000 }).pipe(
        retryToDLQ((_, { deliveryCount }) => void counts.push(deliveryCount), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => counts.length === 30, "another consumer gets them at once");
    expect(new Set(counts)).toEqual(new Set([1]));
    await expect(redis.xinfo("CONSUMERS", stream, group)).resolves.toHaveLength(2);
  });

  it("completes although Redis is gone", { timeout: 30_000 }, async () => {
    const server = await ownServer();
    const { redis, stream, group, add, run } = workbench(server.url);
    await add(30);
    const stop = new AbortController();
    let handled = 0;
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", signal: stop.signal, drainTimeoutMs: 300 }).pipe(
        retryToDLQ(() => void (handled += 1), { maxDeliveries: 5 }),
        bufferAck({ maxSize: 100, maxWaitMs: 60_000 }),
        acknowledge(redis),
      ),
    );
    await until(() => handled === 30, "all are handled and none acknowledged");
    await server.kill();
    stop.abort();
    await until(() => pipeline.isDone, "it has given up");
    expect(pipeline.error).toBeUndefined();
  });

  it("aborted before the start: reads nothing and completes", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(10);
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", signal: AbortSignal.abort() }).pipe(acknowledge(redis)));
    await until(() => pipeline.isDone, "it has completed");
    expect(pipeline.values).toEqual([]);
    expect(await redis.xinfo("GROUPS", stream)).toEqual([]);
  });
});

describe("unsubscribe", () => {
  it("releases what is unsettled at once, so that another consumer gets it before the lease is over", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(100);
    let hanging = 0;
    const status = new StatusLog();
    const first = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 60_000, status }).pipe(
        retryToDLQ(() => new Promise<void>(() => void (hanging += 1)), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => hanging === 16, "handlers hang");
    first.subscription.unsubscribe();
    const second = run(fromGroup(redis, { stream, group, startId: "0", leaseMs: 60_000 }).pipe(bufferAck(), acknowledge(redis)));
    const begun = Date.now();
    await until(() => total(second.values, "acked") === 100, "the other one has them");
    expect(Date.now() - begun).toBeLessThan(3_000);
    expect(status.seen.at(-1)).toEqual({ _tag: "stopped", reason: "unsubscribed", released: 100 });
  });

  it("leaves no connection, and no consumer that owns nothing", async () => {
    const { redis, stream, group, run } = workbench();
    const status = new StatusLog();
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", status }).pipe(acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    pipeline.subscription.unsubscribe();
    await expectNoConnections(redis);
    await until(async () => ((await redis.xinfo("CONSUMERS", stream, group)) as unknown[]).length === 0, "the consumer is gone");
  });

  it("in the middle of a page releases the entries that were not emitted yet, too", async () => {
    const { redis, stream, group, add, pendingRows, run } = workbench();
    await add(100);
    const status = new StatusLog();
    let seen = 0;
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", status }));
    pipeline.subscription.unsubscribe();
    const again = fromGroup(redis, { stream, group, startId: "0", status }).subscribe(() => {
      seen += 1;
      if (seen === 3) again.unsubscribe();
    });
    await until(() => status.of("stopped").length === 2, "both have left");
    expect(seen).toBe(3);
    expect(status.of("stopped")[1]?.released).toBe(100);
    expect((await pendingRows()).every(([, , , deliveries]) => deliveries === 0)).toBe(true);
  });
});

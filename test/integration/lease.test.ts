import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fromGroup, retryToDLQ, type Delivery } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { StatusLog, total, workbench } from "../support/workbench.js";

describe("the lease of a delivery", () => {
  it("is renewed while its handler runs: three leases long, with two consumers, it is handled once", async () => {
    const { redis, stream, group, add, pending, pendingRows, run } = workbench();
    const leaseMs = 600;
    const handled: string[] = [];
    let greatestIdleMs = 0;
    const slow = async (fields: Record<string, string>): Promise<void> => {
      handled.push(fields["n"] ?? "");
      const begun = Date.now();
      while (Date.now() - begun < 3 * leaseMs) {
        for (const [, , idleMs] of await pendingRows()) greatestIdleMs = Math.max(greatestIdleMs, idleMs);
        await delay(20); // the handler is meant to be slow; nothing is waited for
      }
    };
    const consumer = () =>
      run(
        fromGroup(redis, { stream, group, startId: "0", leaseMs, maxInFlight: 10 }).pipe(
          retryToDLQ(slow, { maxDeliveries: 5 }),
          bufferAck(),
          acknowledge(redis),
        ),
      );
    const both = [consumer(), consumer()];
    await add(10);
    await until(() => both.reduce((sum, { values }) => sum + total(values, "acked"), 0) === 10, "all are handled");
    expect(handled).toHaveLength(10);
    expect(await pending()).toBe(0);
    expect(greatestIdleMs).toBeLessThan(leaseMs * 0.75);
  });

  it("also covers what waits in a buffer or for its turn", async () => {
    const { redis, stream, group, add, pendingRows, run } = workbench();
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300 }).pipe(
        retryToDLQ(() => delay(40), { maxDeliveries: 5, concurrency: 1 }),
        bufferAck({ maxSize: 1_000, maxWaitMs: 400 }),
        acknowledge(redis),
      ),
    );
    const rival = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 300, maxInFlight: 1 }).pipe(
        retryToDLQ(() => new Promise(() => undefined), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await add(30);
    await until(() => total(pipeline.values, "acked") >= 29, "all but the rival's are handled");
    expect((await pendingRows()).every(([, , , deliveries]) => deliveries === 1)).toBe(true);
    expect(total(pipeline.values, "notPending")).toBe(0);
    expect(rival.values).toEqual([]);
  });

  it("lost to another consumer: the signal is aborted, nothing is acknowledged, the status says so", async () => {
    const { redis, stream, group, add, pendingRows, run } = workbench();
    const status = new StatusLog();
    let held: Delivery<unknown> | undefined;
    const hang = (_: unknown, delivery: Delivery<unknown>): Promise<void> => {
      held = delivery;
      return new Promise(() => undefined);
    };
    const [id] = await add(1);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", leaseMs: 500, status }).pipe(
        retryToDLQ(hang, { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => held !== undefined, "it is in a handler");
    const signal = held!.signal;
    await redis.xclaim(stream, group, "thief", 0, id!);
    await until(() => signal.aborted, "its signal is aborted");
    await until(() => total(pipeline.values, "notPending") === 1, "it is let go");
    expect(status.of("leaseLost")).toEqual([{ _tag: "leaseLost", stream, ids: [id] }]);
    expect((await pendingRows()).map(([pendingId, consumer]) => [pendingId, consumer])).toEqual([[id, "thief"]]);
  });

  it("is not stolen back: an entry claimed elsewhere stays there although its former owner still runs", async () => {
    const { redis, stream, group, add, pendingRows, run } = workbench();
    const name = randomUUID();
    const [id] = await add(1);
    const status = new StatusLog();
    run(
      fromGroup(redis, { stream, group, consumer: name, startId: "0", leaseMs: 300, recover: false, status }).pipe(
        retryToDLQ(() => new Promise(() => undefined), { maxDeliveries: 9 }),
        acknowledge(redis),
      ),
    );
    await until(
      async () => (await redis.xlen(stream)) === 1 && status.tags().includes("reading") && (await pendingRows()).length === 1,
      "it is delivered",
    );
    await redis.xclaim(stream, group, "thief", 0, id!);
    await until(() => status.tags().includes("leaseLost"), "the loss is noticed");
    expect((await pendingRows())[0]?.[1]).toBe("thief");
  });
});

import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { helperKeys, recordCommands, StatusLog, workbench } from "../support/workbench.js";

/** The value below which nine tenths and a half of the numbers are. */
const p95 = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length * 0.95)] ?? NaN;

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
});

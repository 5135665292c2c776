import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, StatusLog, total, workbench } from "../support/workbench.js";
import { acknowledge, bufferAck, fromGroup, retryToDLQ } from "rxjs-redis-streams";

interface Finding {
  readonly handled: number;
  readonly growth: number;
  readonly mostPending: number;
}

interface MixedFinding {
  readonly entries: number;
  readonly handled: number;
  readonly twice: number;
  readonly damaged: number;
  readonly mostBytes: number;
  readonly mostPending: number;
  readonly lastPending: number;
  readonly growth: number;
}

const limit = 8_000_000;

describe("a deep backlog with a slow handler", () => {
  it("300 000 entries, 2 ms each: the heap stays flat, and never more than maxInFlight is pending", { timeout: 120_000 }, async () => {
    const { redis, stream, group, add, pending } = workbench();
    await add(300_000, (n) => ({ id: String(n), text: "x".repeat(80) }));
    const script = fileURLToPath(new URL("workers/drain-backlog.ts", import.meta.url));
    const child = fork(script, [inject("redisUrl"), stream, group], { execArgv: ["--expose-gc", "--import", "tsx"] });
    afterwards(() => child.kill("SIGKILL"));
    const [finding] = (await once(child, "message")) as [Finding];
    expect(finding.handled).toBe(300_000);
    expect(finding.growth).toBeLessThan(8 * 2 ** 20);
    expect(finding.mostPending).toBeLessThanOrEqual(1_000);
    expect(finding.mostPending).toBeGreaterThan(500);
    await until(async () => (await pending()) === 0, "nothing is pending");
    expect(await redis.xlen(stream)).toBe(300_000);
  });

  for (const payload of ["string", "buffer"]) {
    it(
      `1 MB entries among 100 B ones: within maxInFlightBytes, and small ones fill the window; as ${payload}`,
      { timeout: 120_000 },
      async () => {
        const { stream, group, pending } = workbench();
        const script = fileURLToPath(new URL("workers/drain-mixed.ts", import.meta.url));
        const child = fork(script, [inject("redisUrl"), stream, group, payload], { execArgv: ["--expose-gc", "--import", "tsx"] });
        afterwards(() => child.kill("SIGKILL"));
        const [finding] = (await once(child, "message")) as [MixedFinding];
        expect(finding).toMatchObject({ entries: 9_000, handled: 9_000, twice: 0, damaged: 0 });
        expect(finding.mostBytes).toBeLessThan(1.02 * limit);
        expect(finding.growth).toBeLessThan(6 * limit);
        expect(finding.mostPending).toBeLessThanOrEqual(1_000);
        expect(finding.lastPending).toBeGreaterThan(500); // 8 to 128 while it takes them for large
        expect(await pending()).toBe(0);
      },
    );
  }

  for (const maxInFlight of [1, 2, 7]) {
    it(`is never handed more than maxInFlight: ${maxInFlight}, and goes on with a batch that can't fill`, async () => {
      const { redis, stream, group, add, pending, run } = workbench();
      await add(40);
      let most = 0;
      const pipeline = run(
        fromGroup(redis, { stream, group, startId: "0", maxInFlight }).pipe(
          retryToDLQ(async () => void (most = Math.max(most, await pending())), { maxDeliveries: 5 }),
          bufferAck({ maxSize: 1_000, maxWaitMs: 60_000 }),
          acknowledge(redis),
        ),
      );
      // the last ones fill neither the batch nor the window: they wait for maxWaitMs
      await until(() => total(pipeline.values, "acked") > 40 - maxInFlight, "all but the last few are acknowledged");
      expect(most).toBe(maxInFlight);
    });
  }

  it("reports that it is starved, and reads on when credit is back", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(20);
    const status = new StatusLog();
    const held: (() => void)[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 10, status }).pipe(
        retryToDLQ(() => new Promise<void>((resolve) => held.push(resolve)), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => status.tags().includes("starved"), "it is starved");
    expect(held).toHaveLength(10);
    for (const release of held.splice(0)) release();
    await until(() => held.length === 10, "the next ten have come");
    for (const release of held.splice(0)) release();
    await until(() => total(pipeline.values, "acked") === 20, "all are handled");
    expect(status.tags().filter((tag) => tag === "reading").length).toBeGreaterThan(1);
  });

  it("reports deliveries that an operator dropped as stalled", async () => {
    const { redis, stream, group, add, run } = workbench();
    const [id] = await add(1);
    const status = new StatusLog();
    run(fromGroup(redis, { stream, group, startId: "0", stalledAfterMs: 100, status }));
    await until(() => status.tags().includes("stalled"), "it is reported");
    expect(status.of("stalled")[0]).toMatchObject({ unsettled: 1, oldest: id });
  });
});

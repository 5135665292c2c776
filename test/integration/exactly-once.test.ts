import { once } from "node:events";
import { describe, expect, inject, it } from "vitest";
import { killRun } from "../support/kill-run.js";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { afterwards, workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

/** The long form, with 60 000 entries, 60 kills and a killed server, is `npm run test:chaos`. */
describe("handOff", () => {
  it("hands 3 000 entries on exactly once, with six workers killed at work and the server killed once", { timeout: 120_000 }, async () => {
    const result = await killRun(await ownServer({ durable: true }), { entries: 3_000, kills: 6, restart: true });
    expect(result.outputs).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    expect(result).toMatchObject({ count: 3_000, pending: 0, deadLetters: 0 });
  });
});

describe("dedupe", () => {
  it("handles an entry again after a kill before its ack, and never one after a kill behind it", async () => {
    const { redis, stream, group, add, pending } = workbench();
    afterwards(async () => redis.del(`${stream}:handled`, ...(await redis.keys(`{${stream}}:dedupe:*`))));
    const handled = (): Promise<string[]> => redis.lrange(`${stream}:handled`, 0, -1);
    await add(2, (n) => ({ n: ["acked", "hangs"][n]! }));
    const victim = startWorker("dedupe.ts", inject("redisUrl"), stream, group, "hangs");
    await messageFrom<{ settled: number }>(victim, ({ settled }) => settled === 1);
    await until(async () => (await handled()).length === 2, "one is acknowledged, and one is handled and hangs before its ack");
    victim.kill("SIGKILL");
    await once(victim, "exit");
    expect(await pending()).toBe(1);

    await add(2, (n) => ({ n: ["acked", "hangs"][n]! })); // a producer that repeats itself
    const next = startWorker("dedupe.ts", inject("redisUrl"), stream, group, "");
    await messageFrom<{ settled: number }>(next, ({ settled }) => settled === 3);
    expect((await handled()).sort()).toEqual(["acked", "hangs", "hangs"]);
    expect(await pending()).toBe(0);
  });
});

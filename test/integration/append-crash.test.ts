import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ChildProcess } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

const count = 6_000;

interface Progress {
  readonly confirmed?: number;
  readonly isDone?: boolean;
}

describe("appendTo with a key", () => {
  it("adds each event once and in order, with its process killed at work and the server killed, too", { timeout: 90_000 }, async () => {
    const server = await ownServer({ durable: true });
    const { redis, stream } = workbench(server.url);
    const start = (): ChildProcess => startWorker("append-keyed.ts", server.url, stream, String(count));
    for (let kills = 1; kills <= 3; kills += 1) {
      const producer = start();
      await messageFrom<Progress>(producer, ({ confirmed = 0 }) => confirmed >= kills * 1_000);
      await delay(Math.random() * 20); // anywhere in a write
      producer.kill("SIGKILL");
      await once(producer, "exit");
    }
    const last = start();
    const done = messageFrom<Progress>(last, ({ isDone = false }) => isDone);
    await messageFrom<Progress>(last, ({ confirmed = 0 }) => confirmed >= 4_500);
    await server.kill();
    await server.restart();
    await done;
    await until(() => redis.status === "ready", "the server is back");
    const numbers = (await redis.xrange(stream, "-", "+")).map(([, pairs]) => Number(pairs[1]));
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => n));
    const info = (await redis.xinfo("STREAM", stream)) as unknown[];
    expect((await redis.keys(`{${stream}}*`)).length).toBe(info.includes("idmp-duration") ? 0 : count);
  });
});

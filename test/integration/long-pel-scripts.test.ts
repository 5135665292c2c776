import { describe, expect, it } from "vitest";
import type { EntryId } from "../../src/model/entry-id.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { IoredisCommands } from "../../src/redis/ioredis-commands.js";
import type { Decision, StreamAdmin } from "../../src/redis/port.js";
import { costs, fillPel, resetCosts, scheduleAll } from "../support/long-pel.js";
import { ownServer } from "../support/own-server.js";
import { afterwards, helperKeys, workbench, type Workbench } from "../support/workbench.js";

const waiting = 100_000;
const ids = (from: number, count: number): EntryId[] => Array.from({ length: count }, (_, n) => `1-${from + n}` as EntryId);

/** A hundred thousand entries wait until tomorrow, behind them 600 are pending for `me`. */
async function longPel(): Promise<Workbench & { readonly commands: IoredisCommands; readonly admin: StreamAdmin }> {
  const server = await ownServer();
  const bench = workbench(server.url);
  const { redis, stream, group } = bench;
  await fillPel(redis, stream, group, waiting);
  await scheduleAll(redis, helperKeys(stream, group)[1], waiting);
  for (const id of ids(waiting + 1, 600)) await redis.xadd(stream, id, "n", id);
  await redis.xreadgroup("GROUP", group, "me", "COUNT", 600, "STREAMS", stream, ">");
  const commands = toPort(redis).openCommands() as IoredisCommands;
  const admin = toPort(redis).openAdmin();
  afterwards(() => commands.close());
  afterwards(() => admin.close());
  await resetCosts(redis);
  return { ...bench, commands, admin };
}

/** What one XCLAIM of a script cost on average, µs. One that looks for its place among all others costs 400 and more. */
const claimMicros = async ({ redis }: Workbench): Promise<number> => (await costs(redis))["xclaim"]!.meanMicros;

describe("where a hundred thousand retries wait", () => {
  it("settle.lua retries and releases at the cost of any other, and what it hands back is found by the schedule", async () => {
    const bench = await longPel();
    const { redis, stream, group, commands } = bench;
    const ref = { stream, group, consumer: "me" };
    const retries = ids(waiting + 1, 200).map((id): Decision => ({ verb: "retry", id, delayMs: 10, lookIdleMs: 29_990 }));
    const releases = ids(waiting + 201, 200).map((id): Decision => ({ verb: "release", id }));
    const outcomes = await commands.settle(ref, { mode: "ack", deadLetterStream: undefined, decisions: [...retries, ...releases] });
    expect(new Set(outcomes.map(({ _tag }) => _tag))).toEqual(new Set(["done"]));
    expect(await claimMicros(bench)).toBeLessThan(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const taken: (readonly [string, number])[] = [];
    for (let page = 0; page < 8; page += 1) {
      const { entries } = await commands.takeDue({ ...ref, consumer: "other" }, 50);
      taken.push(...entries.map(([id, , count]) => [id, count] as const));
    }
    expect(taken.filter(([, count]) => count === 2)).toHaveLength(200);
    expect(taken.filter(([, count]) => count === 1)).toHaveLength(200);
    expect(await redis.zcard(helperKeys(stream, group)[1])).toBe(waiting);
  });

  it("leave.lua hands back, and passes on what waits, at the cost of any other", async () => {
    const bench = await longPel();
    const { redis, stream, group, commands } = bench;
    const now = Date.now();
    const [, retries] = helperKeys(stream, group);
    for (const [n, id] of ids(waiting + 1, 300).entries()) await redis.zadd(retries, n < 150 ? now - 1_000 : now + 86_400_000, id);
    for (const id of ids(waiting + 1, 300)) await redis.xclaim(stream, group, "me", 0, id, "TIME", now - 2_000, "JUSTID");
    await resetCosts(redis);
    expect(await commands.leave({ stream, group, consumer: "me" }, { remove: true })).toBe(300);
    expect(await claimMicros(bench)).toBeLessThan(100);
    expect(await redis.xinfo("CONSUMERS", stream, group)).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    let taken = 0;
    for (let page = 0; page < 10; page += 1) taken += (await commands.takeDue({ stream, group, consumer: "other" }, 50)).entries.length;
    expect(taken).toBe(450);
  });

  it("redrive.lua takes letters back at the cost of any other", async () => {
    const bench = await longPel();
    const { redis, stream, group, commands, admin } = bench;
    const ref = { stream, group, consumer: "me" };
    const dead = ids(waiting + 1, 100);
    await commands.settle(ref, {
      mode: "ack",
      deadLetterStream: undefined,
      decisions: dead.map((id) => ({ verb: "dead", id, note: "{}", pairs: [] })),
    });
    const letters = (await bench.deadLetters()).map(([id], index) => ({
      id: id as EntryId,
      origin: { stream, group, id: dead[index]!, consumer: "me" },
      firstFailedAt: 1,
      hops: 0,
    }));
    await resetCosts(redis);
    await admin.redrive({ stream, group }, { deadLetterStream: undefined, letters: letters, isDryRun: false });
    expect(await claimMicros(bench)).toBeLessThan(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await commands.takeDue({ ...ref, consumer: "other" }, 50)).entries.map(([, , count]) => count)).toEqual(new Array(50).fill(1));
  });
});

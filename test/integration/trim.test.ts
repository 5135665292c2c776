import { lastValueFrom, take, toArray } from "rxjs";
import { acknowledge, fixed, fromGroup, retryToDLQ, trim, trimAcked, type TrimReport } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { expectNoConnections, helperKeys, run, workbench, type Workbench } from "../support/workbench.js";

const once = ({ redis, stream }: Workbench, more: Partial<Parameters<typeof trimAcked>[1]> = {}): Promise<TrimReport> =>
  lastValueFrom(trimAcked(redis, { stream, ...more }));

/** Reads so many entries in a group and acknowledges all but those at the given places. */
async function readBy({ redis, stream }: Workbench, group: string, count: number, pendingAt: readonly number[] = []): Promise<void> {
  await redis.xgroup("CREATE", stream, group, "0").catch(() => undefined);
  const [[, entries]] = (await redis.xreadgroup("GROUP", group, "me", "COUNT", count, "STREAMS", stream, ">")) as unknown as [
    [string, [string][]],
  ];
  const ids = entries.map(([id]) => id).filter((_, place) => !pendingAt.includes(place));
  if (ids.length > 0) await redis.xack(stream, group, ...ids);
}

describe("trimAcked", () => {
  it("removes what every group has acknowledged, and says which one holds the rest", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    const ids = await add(1_000);
    await readBy(bench, "shipping", 700, [650]);
    await readBy(bench, "billing", 690);
    expect(await once(bench)).toEqual({
      stream,
      removed: 650,
      isDryRun: false,
      keptFrom: ids[650],
      heldBy: "shipping",
      deadGroups: [],
    });
    expect((await redis.xrange(stream, "-", "+", "COUNT", 1))[0]?.[0]).toBe(ids[650]);
    await redis.xack(stream, "shipping", ids[650]!);
    expect(await once(bench)).toMatchObject({ removed: 40, heldBy: "billing", keptFrom: ids[690] });
    await readBy(bench, "shipping", 300);
    await readBy(bench, "billing", 310);
    expect(await once(bench)).toMatchObject({ removed: 310, heldBy: undefined });
    expect(await redis.xlen(stream)).toBe(0);
    await expectNoConnections(redis);
  });

  it("keeps everything for a group that has read nothing, and where there is no group or no stream", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    expect(await once(bench)).toMatchObject({ removed: 0, keptFrom: undefined });
    const ids = await add(300);
    expect(await once(bench)).toMatchObject({ removed: 0, keptFrom: undefined });
    await readBy(bench, "shipping", 300);
    await redis.xgroup("CREATE", stream, "new", "0");
    expect(await once(bench, { deadGroupAfterMs: 1_000 })).toMatchObject({ removed: 0, keptFrom: "0-1", heldBy: "new" });
    expect(await redis.xlen(stream)).toBe(300);
    await redis.xgroup("SETID", stream, "new", ids[99]!);
    expect(await once(bench)).toMatchObject({ removed: 100, heldBy: "new" });
  });

  it("keeps an entry that waits for its retry, also of a group that looks dead", async () => {
    const bench = workbench();
    const { redis, stream, group, add } = bench;
    const ids = await add(500);
    const failing = run(
      fromGroup(redis, { stream, group, consumer: "me", startId: "0" }).pipe(
        retryToDLQ(({ n }) => n === "123" && Promise.reject(new Error("later")), { maxDeliveries: 5, backoff: fixed(3_600_000) }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.zcard(helperKeys(stream, group)[1])) === 1, "one waits");
    await until(async () => Number((await redis.xpending(stream, group))[0]) === 1, "the rest is acknowledged");
    failing.subscription.unsubscribe();
    await readBy(bench, "other", 500);
    await until(async () => idleMsOf(await redis.xinfo("CONSUMERS", stream, group)) > 1_100, "its consumer has been silent");
    expect(await once(bench, { deadGroupAfterMs: 1_000 })).toMatchObject({
      removed: 123,
      keptFrom: ids[123],
      heldBy: group,
      deadGroups: [],
    });
  });

  it("does not wait for a dead group, once it is told when a group is dead", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    await add(500);
    await readBy(bench, "forgotten", 10, [3]);
    await until(async () => idleMsOf(await redis.xinfo("CONSUMERS", stream, "forgotten")) > 1_100, "it has been silent");
    await readBy(bench, "living", 400);
    expect(await once(bench)).toMatchObject({ removed: 3, heldBy: "forgotten" });
    expect(await once(bench, { deadGroupAfterMs: 3_600_000 })).toMatchObject({ removed: 0, heldBy: "forgotten" });
    expect(await once(bench, { deadGroupAfterMs: 1_000 })).toMatchObject({ removed: 397, heldBy: "living", deadGroups: ["forgotten"] });
  });

  it("leaves the stream alone when all groups that have work are dead", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    await add(100);
    await readBy(bench, "forgotten", 10, [3]);
    await until(async () => idleMsOf(await redis.xinfo("CONSUMERS", stream, "forgotten")) > 1_100, "it has been silent");
    expect(await once(bench, { deadGroupAfterMs: 1_000 })).toMatchObject({ removed: 0, keptFrom: undefined });
  });

  it("dryRun removes nothing and counts what would go", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    await add(4_000);
    await readBy(bench, "shipping", 3_500);
    expect(await once(bench, { dryRun: true })).toMatchObject({ removed: 3_500, isDryRun: true, heldBy: "shipping" });
    expect(await redis.xlen(stream)).toBe(4_000);
    expect(await once(bench)).toMatchObject({ removed: 3_500 });
  });

  it("repeats with everyMs, and follows the groups", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    await add(100);
    await readBy(bench, "shipping", 50);
    const running = run(trimAcked(redis, { stream, everyMs: 100 }));
    await until(() => running.values.length > 0, "it has trimmed");
    await readBy(bench, "shipping", 50);
    await until(async () => (await redis.xlen(stream)) === 0, "the rest is gone");
    expect(running.values.slice(0, 1)).toMatchObject([{ removed: 50 }]);
  });

  it("counts on beyond what a number of Lua's holds", async () => {
    const bench = workbench();
    const { redis, stream } = bench;
    for (const id of ["9-99999999999999999", "9-18446744073709551615", "99-18446744073709551615", "100-0"])
      await redis.xadd(stream, id, "a", "1");
    await readBy(bench, "shipping", 1);
    expect(await once(bench)).toMatchObject({ removed: 1, keptFrom: "9-100000000000000000" });
    await readBy(bench, "shipping", 1);
    expect(await once(bench)).toMatchObject({ removed: 1, keptFrom: "10-0" });
    await readBy(bench, "shipping", 1);
    expect(await once(bench)).toMatchObject({ removed: 1, keptFrom: "100-0" });
    expect(await redis.xlen(stream)).toBe(1);
  });

  it("takes no command longer than 5 ms on a long stream of large entries", async () => {
    const server = await ownServer();
    const bench = workbench(server.url);
    const { redis, stream, add } = bench;
    await add(60_000, (n) => ({ n: String(n), text: "x".repeat(n % 50 === 0 ? 5_000 : 200) }));
    await redis.xgroup("CREATE", stream, "shipping", "$");
    await redis.config("SET", "slowlog-log-slower-than", "5000");
    await redis.call("slowlog", "reset");
    expect(await once(bench)).toMatchObject({ removed: 60_000 });
    const slow = (await redis.call("slowlog", "get")) as [number, number, number, string[]][];
    expect(slow.map(([, , micros, words]) => [micros, words[0]])).toEqual([]);
  });
});

describe("trim", () => {
  it("keeps the newest, about or exactly", async () => {
    const { redis, stream, add } = workbench();
    const ids = await add(5_000);
    expect(await lastValueFrom(trim(redis, { stream, maxLen: 1_050 }))).toBe(3_900);
    expect(await lastValueFrom(trim(redis, { stream, maxLen: 1_050, exact: true }).pipe(take(1), toArray()))).toEqual([50]);
    expect(await lastValueFrom(trim(redis, { stream, minId: ids[4_500]!, exact: true }))).toBe(550);
    expect(await redis.xlen(stream)).toBe(500);
    expect(await lastValueFrom(trim(redis, { stream: `${stream}:none`, maxLen: 0 }))).toBe(0);
    await expectNoConnections(redis);
  });

  it("refuses both and none", () => {
    const { redis, stream } = workbench();
    expect(() => trim(redis, { stream } as never)).toThrow(/one of `maxLen` and `minId`, got none/);
    expect(() => trim(redis, { stream, maxLen: 1, minId: "1" } as never)).toThrow(/one of `maxLen` and `minId`, got both/);
    expect(() => trim(redis, { stream, minId: "yesterday" })).toThrow(/^Expected `minId`/);
  });
});

function idleMsOf(reply: unknown): number {
  const [flat] = reply as [unknown[]];
  return Number(flat[flat.indexOf("idle") + 1]);
}

import { filter, lastValueFrom, take, toArray } from "rxjs";
import { fromPending, pendingSummary, toEntryId, type PendingEntry, type PendingSnapshot } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { expectNoConnections, recordCommands, run, workbench, type Workbench } from "../support/workbench.js";

interface Pending extends Workbench {
  readonly ids: string[];
  readonly ref: { readonly stream: string; readonly group: string };
}

/** Ten entries that are pending for `me`, the last two for `you`. */
async function pendingEntries(): Promise<Pending> {
  const bench = workbench();
  const { redis, stream, group, add } = bench;
  const ids = await add(10);
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "me", "COUNT", 8, "STREAMS", stream, ">");
  await redis.xreadgroup("GROUP", group, "you", "COUNT", 2, "STREAMS", stream, ">");
  return { ...bench, ids, ref: { stream, group } };
}

const idsOf = (entries: readonly PendingEntry[]): string[] => entries.map(({ id }) => id);

describe("fromPending", () => {
  it("emits what XPENDING shows, page by page, changes none of it, and leaves no connection", async () => {
    const { redis, stream, group, ids, ref, pendingRows } = await pendingEntries();
    await redis.xclaim(stream, group, "me", 0, ids[3]!, "IDLE", 50_000, "RETRYCOUNT", 7, "JUSTID");
    const entries = await lastValueFrom(fromPending(redis, { ...ref, pageSize: 3 }).pipe(toArray()));
    expect(idsOf(entries)).toEqual(ids);
    expect(entries.map(({ consumer }) => consumer)).toEqual([...Array<string>(8).fill("me"), "you", "you"]);
    expect(entries[3]).toMatchObject({ _tag: "PendingEntry", deliveryCount: 7 });
    expect(entries[3]!.idleMs).toBeGreaterThanOrEqual(50_000);
    expect((await pendingRows()).map(([, consumer, , deliveries]) => [consumer, deliveries])).toEqual(
      entries.map(({ consumer, deliveryCount }) => [consumer, deliveryCount]),
    );
    await expectNoConnections(redis);
  });

  it("keeps to a consumer, a range and an idle time, and never has Redis look for idle ones", async () => {
    const { redis, stream, group, ids, ref } = await pendingEntries();
    await redis.xclaim(stream, group, "me", 0, ids[2]!, ids[6]!, "IDLE", 50_000, "JUSTID");
    const commands = await recordCommands(redis, stream);
    const idle = await lastValueFrom(fromPending(redis, { ...ref, consumer: "me", minIdleMs: 40_000, pageSize: 2 }).pipe(toArray()));
    expect(idsOf(idle)).toEqual([ids[2], ids[6]]);
    const range = { start: toEntryId(ids[1]!), end: toEntryId(ids[8]!) };
    expect(idsOf(await lastValueFrom(fromPending(redis, { ...ref, ...range }).pipe(toArray())))).toEqual(ids.slice(1, 9));
    const yours = await lastValueFrom(fromPending(redis, { ...ref, ...range, consumer: "you" }).pipe(toArray()));
    expect(idsOf(yours)).toEqual([ids[8]]);
    expect(new Set(commands.map(([name]) => name))).toEqual(new Set(["xpending"]));
    expect(commands.filter((words) => words.some((word) => /^idle$/i.test(word)))).toEqual([]);
  });

  it("finds nothing where there is no group, and none without a stream", async () => {
    const { redis, stream, group } = workbench();
    expect(await lastValueFrom(fromPending(redis, { stream, group }).pipe(toArray()))).toEqual([]);
    await redis.xadd(stream, "*", "a", "1");
    expect(await lastValueFrom(fromPending(redis, { stream, group }).pipe(toArray()))).toEqual([]);
  });

  it("scans again and again with everyMs, and sees what became of it", async () => {
    const { redis, stream, group, ids, ref } = await pendingEntries();
    const scans = run(
      fromPending(redis, { ...ref, everyMs: 20 }).pipe(filter((each): each is PendingSnapshot => each._tag === "PendingSnapshot")),
    );
    await until(() => scans.values.some(({ count }) => count === 10), "a scan has found all");
    await redis.xack(stream, group, ...ids.slice(0, 4));
    await until(() => scans.values.some(({ count }) => count === 6), "a scan has found what is left");
    await redis.del(stream);
    await until(() => scans.values.some(({ count }) => count === 0), "a scan has found nothing");
    scans.subscription.unsubscribe();
    await expectNoConnections(redis);
  });

  it("goes on after the server was away", async () => {
    const server = await ownServer({ durable: true });
    const { redis, stream, group, add } = workbench(server.url);
    await add(5);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const counts = run(fromPending(redis, { stream, group, everyMs: 20 }).pipe(filter((each) => each._tag === "PendingSnapshot")));
    await until(() => counts.values.length > 2, "it scans");
    await redis.call("client", "kill", "type", "normal", "skipme", "yes");
    const before = counts.values.length;
    await until(() => counts.values.length > before + 3, "it scans again");
    expect(new Set(counts.values.map((each) => each.count))).toEqual(new Set([5]));
    expect(counts.error).toBeUndefined();
  });

  it("errors for a key that is no stream", async () => {
    const { redis, stream, group } = workbench();
    await redis.set(stream, "text");
    await expect(lastValueFrom(fromPending(redis, { stream, group }))).rejects.toMatchObject({ _tag: "WrongTypeError" });
  });

  it("ends with a subscriber that had enough", async () => {
    const { redis, ref } = await pendingEntries();
    expect(await lastValueFrom(fromPending(redis, { ...ref, pageSize: 2 }).pipe(take(3), toArray()))).toHaveLength(3);
    await expectNoConnections(redis);
  });
});

describe("pendingSummary", () => {
  it("counts what is pending, for whom, and between which ids", async () => {
    const { redis, stream, group, ids, ref } = await pendingEntries();
    expect(await lastValueFrom(pendingSummary(redis, ref))).toEqual({
      count: 10,
      lowest: ids[0],
      highest: ids[9],
      consumers: new Map([
        ["me", 8],
        ["you", 2],
      ]),
    });
    await redis.xack(stream, group, ...ids);
    const nothing = { count: 0, lowest: undefined, highest: undefined, consumers: new Map() };
    expect(await lastValueFrom(pendingSummary(redis, ref))).toEqual(nothing);
    expect(await lastValueFrom(pendingSummary(redis, { ...ref, group: "other" }))).toEqual(nothing);
    await redis.del(stream);
    expect(await lastValueFrom(pendingSummary(redis, ref))).toEqual(nothing);
    await expectNoConnections(redis);
  });
});

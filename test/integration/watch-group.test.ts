import { randomUUID } from "node:crypto";
import { none, some, toUndefined } from "fp-ts/lib/Option.js";
import { firstValueFrom } from "rxjs";
import {
  acknowledge,
  fromGroup,
  watchGroup,
  watchGroups,
  type GroupSnapshot,
  type SourceStatus,
  type WatchGroupOptions,
} from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { expectNoConnections, helperKeys, recordCommands, workbench, type Workbench } from "../support/workbench.js";

const look = ({ redis, stream, group }: Workbench, more: Partial<WatchGroupOptions> = {}): Promise<GroupSnapshot> =>
  firstValueFrom(watchGroup(redis, { stream, group, everyMs: 1_000, ...more }));

const read = ({ redis, stream, group }: Workbench, count: number, consumer = "me"): Promise<unknown> =>
  redis.xreadgroup("GROUP", group, consumer, "COUNT", count, "STREAMS", stream, ">");

/** Entries added, the group at the beginning, and some of them read. */
async function prepared(count: number, readCount: number): Promise<Workbench & { readonly ids: string[] }> {
  const bench = workbench();
  const ids = await bench.add(count);
  await bench.redis.xgroup("CREATE", bench.stream, bench.group, "0");
  if (readCount > 0) await read(bench, readCount);
  return { ...bench, ids };
}

/** What Redis itself says of the group. */
async function infoOf({ redis, stream }: Workbench): Promise<Record<string, unknown>> {
  const [row] = (await redis.call("xinfo", "groups", stream)) as [unknown[]];
  return Object.fromEntries<unknown>(Array.from({ length: row.length / 2 }, (_, index) => [String(row[2 * index]), row[2 * index + 1]]));
}

describe("the lag of a group", () => {
  it("is Redis' own where nothing was removed", async () => {
    const bench = await prepared(50, 20);
    expect((await infoOf(bench))["lag"]).toBe(30);
    expect(await look(bench)).toMatchObject({ presence: "group", length: 50, lag: some(30), lagSource: "redis", entriesRead: some(20) });
  });

  it("is right after a trim past what was read, and after reading on", async () => {
    const bench = await prepared(5, 1);
    await bench.redis.xtrim(bench.stream, "MAXLEN", 2);
    expect(await look(bench)).toMatchObject({ length: 2, lag: some(2) });
    await bench.add(8);
    await read(bench, 3);
    const { lag, lagSource } = await look(bench);
    expect(lag).toEqual(some(7)); // Redis 7.0 says 9
    expect(lagSource).toBe((await infoOf(bench))["lag"] === 7 ? "redis" : "counted");
    await read(bench, 100);
    expect((await look(bench)).lag).toEqual(some(0));
  });

  it("is counted after SETID, of which Redis knows no lag", async () => {
    const bench = await prepared(2_500, 0);
    await bench.redis.xgroup("SETID", bench.stream, bench.group, bench.ids[399]!);
    expect((await infoOf(bench))["lag"]).toBeNull();
    expect(await look(bench)).toMatchObject({ lag: some(2_100), lagSource: "counted" });
    expect(await look(bench, { countLimit: 2_000 })).toMatchObject({ lag: none, lagSource: "unknown" });
    expect(await look(bench, { countLimit: 0 })).toMatchObject({ lag: none, lagSource: "unknown" });
  });

  it("is counted where unread entries were deleted", async () => {
    const bench = await prepared(10, 2);
    await bench.redis.xdel(bench.stream, bench.ids[5]!, bench.ids[7]!);
    expect((await look(bench)).lag).toEqual(some(6));
  });
});

describe("a snapshot of a group", () => {
  it("has its pending entries, consumers and delivery counts", async () => {
    const bench = await prepared(6, 2);
    const { redis, stream, group, ids } = bench;
    await read(bench, 3, "you");
    await redis.xclaim(stream, group, "you", 0, ids[0]!);
    await redis.xclaim(stream, group, "you", 0, ids[0]!);
    await redis.xack(stream, group, ids[4]!);
    const snapshot = await look(bench);
    expect(snapshot).toMatchObject({
      pending: 4,
      lag: some(1),
      lastDeliveredId: some(ids[4]),
      oldestPendingId: some(ids[0]),
      deliveries: { byCount: new Map([[3, 1], [1, 3]]), isComplete: true },
      rates: { addedPerSecond: none, deliveredPerSecond: none, settledPerSecond: none },
    }); // prettier-ignore
    expect(snapshot.consumers.map(({ name, pending }) => [name, pending])).toEqual([["me", 1], ["you", 3]]); // prettier-ignore
    for (const { idleMs } of snapshot.consumers) expect(idleMs >= 0 && idleMs < 10_000).toBe(true);
    const serverTime = Number((await redis.time())[0]) * 1_000;
    expect(Math.abs(snapshot.at - serverTime)).toBeLessThan(5_000);
    expect(toUndefined(snapshot.oldestPendingAgeMs)).toBe(snapshot.at - Number(ids[0]!.split("-")[0]));
    const [row] = await bench.pendingRows(1);
    expect(toUndefined(snapshot.oldestPendingIdleMs)!).toBeLessThanOrEqual(row![2]);
  });

  it("looks at a thousand of the pending entries", async () => {
    const bench = await prepared(1_500, 1_500);
    const { deliveries, pending } = await look(bench);
    expect([pending, deliveries.isComplete, deliveries.byCount.get(1)]).toEqual([1_500, false, 1_000]);
  });

  it("has retries that wait and dead letters, beside the stream or elsewhere", async () => {
    const bench = await prepared(2, 2);
    const [deadLetters, retries] = helperKeys(bench.stream, bench.group);
    await bench.redis.zadd(retries, Date.now() + 60_000, bench.ids[0]!, Date.now() + 90_000, bench.ids[1]!);
    await bench.redis.xadd(deadLetters, "*", "a", "1");
    const snapshot = await look(bench);
    expect(snapshot).toMatchObject({ retriesWaiting: 2, deadLetters: 1 });
    expect(Math.abs(toUndefined(snapshot.nextRetryInMs)! - 60_000)).toBeLessThan(10_000);
    expect((await look(bench, { deadLetterStream: bench.stream })).deadLetters).toBe(2);
  });

  it("says what is missing, and goes on when it is there", async () => {
    const bench = workbench();
    const { redis, stream, group } = bench;
    const { values } = bench.run(watchGroup(redis, { stream, group, everyMs: 10 }));
    await until(() => values.length > 0, "the first snapshot is there");
    expect(values[0]).toMatchObject({ presence: "noStream", length: 0, lag: none, lagSource: "unknown", verdict: "ok" });
    await bench.add(3);
    await until(() => values.at(-1)!.presence === "noGroup", "the stream is there");
    expect(values.at(-1)).toMatchObject({ length: 3, lag: none, verdict: "stopped" });
    await redis.xgroup("CREATE", stream, group, "0");
    await until(() => values.at(-1)!.presence === "group", "the group is there");
    expect(values.at(-1)).toMatchObject({ lag: some(3), consumers: [], verdict: "ok" });
  });

  it("honours a keyPrefix, and errors where the key is no stream", async () => {
    const bench = await prepared(3, 1);
    const prefixed = bench.redis.duplicate({ keyPrefix: "test:" });
    const name = bench.stream.slice("test:".length);
    const snapshot = await firstValueFrom(watchGroup(prefixed, { stream: name, group: bench.group, everyMs: 10 }));
    expect(snapshot).toMatchObject({ stream: name, lag: some(2) });
    prefixed.disconnect();
    const text = `test:${randomUUID()}`;
    await bench.redis.set(text, "no stream", "EX", 60);
    await expect(look({ ...bench, stream: text })).rejects.toMatchObject({ _tag: "WrongTypeError" });
  });
});

describe("a watched group", () => {
  it("that is read is ok, with rates", async () => {
    const bench = workbench();
    const { redis, stream, group, add, run } = bench;
    run(fromGroup(redis, { stream, group, startId: "0" }).pipe(acknowledge(redis)));
    await until(async () => (await redis.exists(stream)) === 1, "the group is made");
    await add(1);
    const { values } = run(watchGroup(redis, { stream, group, everyMs: 20, window: 3 }));
    for (let n = 0; n < 20; n += 1) await add(10);
    await until(() => values.some(({ entriesRead }) => toUndefined(entriesRead) === 201), "all are read");
    const positive = (rate: GroupSnapshot["rates"]["addedPerSecond"]): boolean => (toUndefined(rate) ?? 0) > 0;
    for (const name of ["addedPerSecond", "deliveredPerSecond", "settledPerSecond"] as const)
      await until(() => values.some(({ rates }) => positive(rates[name])), `${name} is seen`);
    await until(() => values.at(-1)!.pending === 0, "all are settled");
    await until(() => values.at(-1)!.verdict === "ok", "it is ok");
    expect(values.map(({ verdict }) => verdict)).not.toContain("stopped");
  });

  it("is stopped when nobody reads, and stalled when what is pending stays", async () => {
    const bench = await prepared(5, 2);
    const { redis, stream, group } = bench;
    const { values } = bench.run(watchGroup(redis, { stream, group, everyMs: 20, window: 3 }));
    await until(() => values.at(-1)?.verdict === "stopped", "it is stopped");
    await read(bench, 100);
    await until(() => values.at(-1)!.verdict === "stalled", "it is stalled");
    await redis.xack(stream, group, ...bench.ids);
    await until(() => values.at(-1)!.verdict === "ok", "it is ok");
  });

  it("is rewound after SETID to an earlier id, until the window has passed", async () => {
    const bench = await prepared(5, 5);
    const { redis, stream, group } = bench;
    await redis.xack(stream, group, ...bench.ids);
    const { values } = bench.run(watchGroup(redis, { stream, group, everyMs: 20, window: 3 }));
    await until(() => values.length > 1, "it was seen");
    await redis.xgroup("SETID", stream, group, "0");
    await until(() => values.at(-1)!.verdict === "rewound", "it is rewound");
    await until(() => values.at(-1)!.verdict === "stopped", "the window has passed");
  });
});

describe("the groups of a stream", () => {
  it("are watched together, those that come and go included", async () => {
    const bench = await prepared(4, 1);
    const { redis, stream, group } = bench;
    const { values } = bench.run(watchGroups(redis, { stream, everyMs: 10 }));
    await until(() => values.length > 0, "the first snapshots are there");
    expect([...values[0]!.keys()]).toEqual([group]);
    expect(values[0]!.get(group)).toMatchObject({ lag: some(3), pending: 1 });
    await redis.xgroup("CREATE", stream, "other", "$");
    await until(() => values.at(-1)!.has("other"), "another group is seen");
    expect(values.at(-1)!.get("other")).toMatchObject({ presence: "group", lag: some(0) });
    await redis.xgroup("DESTROY", stream, "other");
    await until(() => !values.at(-1)!.has("other"), "it is gone");
    const last = values.filter((groups) => groups.has("other")).at(-1)!;
    expect(last.get("other")).toMatchObject({ presence: "noGroup" });
  });
});

describe("what watching costs", () => {
  it("is the same commands every time, none of which writes", async () => {
    const bench = await prepared(50, 20);
    const commands = await recordCommands(bench.redis, bench.stream);
    const { values, subscription } = bench.run(watchGroup(bench.redis, { stream: bench.stream, group: bench.group, everyMs: 10 }));
    await until(() => values.length >= 3, "three snapshots are there");
    subscription.unsubscribe();
    const each = ["xinfo stream", "xinfo groups", "xinfo consumers", "xpending", "zcard", "zrange", "xlen"];
    await until(() => commands.length >= 3 * each.length, "the server has told of them");
    const names = commands.map(([name, what]) => (name === "xinfo" ? `${name} ${what}` : name));
    expect(names.slice(0, 3 * each.length)).toEqual([...each, ...each, ...each]);
  });
});

describe("a watcher whose server goes away", () => {
  it("says so, goes on when it is back, and leaves no connection", async () => {
    const server = await ownServer({ durable: true });
    const bench = workbench(server.url);
    const { redis, stream, group } = bench;
    await bench.add(3);
    await redis.xgroup("CREATE", stream, group, "0");
    const status: SourceStatus[] = [];
    const watch = bench.run(watchGroup(redis, { stream, group, everyMs: 20, status: { next: (each) => status.push(each) } }));
    await until(() => watch.values.length > 1, "it is watched");
    await server.kill();
    await until(() => status.length > 1, "it has noticed");
    expect(status[0]).toMatchObject({ _tag: "reconnecting", attempt: 1 });
    const seen = watch.values.length;
    await server.restart();
    await until(() => watch.values.length > seen, "it goes on");
    expect(watch.values.at(-1)).toMatchObject({ lag: some(3) });
    expect(watch.error).toBeUndefined();
    watch.subscription.unsubscribe();
    await until(async () => (await redis.ping().catch(() => "")) === "PONG", "the test's client is back");
    await expectNoConnections(redis);
  });
});

import { none, some } from "fp-ts/lib/Option.js";
import { firstValueFrom, lastValueFrom, tap, type Observable } from "rxjs";
import {
  acknowledge,
  createGroup,
  deleteConsumer,
  destroyGroup,
  fromGroup,
  listConsumers,
  listGroups,
  pruneConsumers,
  setGroupPosition,
  type ConsumerInfo,
  type GroupInfo,
} from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, helperKeys, run, workbench, type Workbench } from "../support/workbench.js";

interface Grouped extends Workbench {
  readonly ids: string[];
  readonly ref: { readonly stream: string; readonly group: string };
}

/** Ten entries in a group at the beginning; nobody has read them. */
async function grouped(entries = 10): Promise<Grouped> {
  const bench = workbench();
  const { redis, stream, group, add } = bench;
  const ids = await add(entries);
  await redis.xgroup("CREATE", stream, group, "0");
  return { ...bench, ids, ref: { stream, group } };
}

const only = <A>(source: Observable<A>): Promise<A> => lastValueFrom(source);

/** Whether the server knows when a consumer last tried to read, as since 7.2. */
async function knowsAttempts(redis: Redis, stream: string, group: string): Promise<boolean> {
  const [first] = (await redis.xinfo("CONSUMERS", stream, group)) as unknown[][];
  return first?.includes("inactive") === true;
}

const namesOf = (consumers: readonly ConsumerInfo[]): string[] => consumers.map(({ name }) => name);

describe("createGroup", () => {
  it("makes the group and its stream, once; a second call leaves it where it is", async () => {
    const { redis, stream, group, add } = workbench();
    expect(await only(createGroup(redis, { stream, group, startId: "$" }))).toBe("created");
    await add(2);
    expect(await only(createGroup(redis, { stream, group, startId: "0" }))).toBe("existed");
    const [info] = await only(listGroups(redis, { stream }));
    expect(info).toMatchObject({ name: group, lastDeliveredId: "0-0" });
    await expectNoConnections(redis);
  });

  it("tells Redis how many entries were read, so that the lag is known", async () => {
    const { redis, stream, add } = workbench();
    const ids = await add(5);
    await only(createGroup(redis, { stream, group: "a", startId: ids[1]!, entriesRead: 2 }));
    await only(createGroup(redis, { stream, group: "b", startId: ids[1]! }));
    const [known, unknown] = (await only(listGroups(redis, { stream }))) as [GroupInfo, GroupInfo];
    expect(known).toEqual({ name: "a", consumers: 0, pending: 0, lastDeliveredId: ids[1], entriesRead: some(2), lag: some(3) });
    expect(unknown).toMatchObject({ name: "b", entriesRead: none, lag: none });
  });

  it("errors for a key that is no stream", async () => {
    const { redis, stream, group } = workbench();
    await redis.set(stream, "text");
    await expect(only(createGroup(redis, { stream, group, startId: "0" }))).rejects.toMatchObject({ _tag: "WrongTypeError" });
  });

  it("goes to the key behind a prefix", async () => {
    const { redis, stream, group } = workbench();
    const prefixed = new Redis({ ...(redis.options as object), keyPrefix: "test:" });
    afterwards(() => prefixed.disconnect());
    const name = stream.replace(/^test:/, "");
    expect(await only(createGroup(prefixed, { stream: name, group, startId: "0" }))).toBe("created");
    expect(await redis.xinfo("GROUPS", stream)).toHaveLength(1);
    expect(await only(destroyGroup(prefixed, { stream: name, group }))).toBe("destroyed");
    expect(await redis.xinfo("GROUPS", stream)).toHaveLength(0);
  });
});

describe("setGroupPosition", () => {
  it("moves a group both ways, and what is pending stays so", async () => {
    const { redis, stream, group, ids, ref, pending } = await grouped();
    await redis.xreadgroup("GROUP", group, "me", "COUNT", 5, "STREAMS", stream, ">");
    expect(await only(setGroupPosition(redis, { ...ref, id: "$", entriesRead: 10 }))).toBe("set");
    expect((await only(listGroups(redis, { stream })))[0]).toMatchObject({ lastDeliveredId: ids[9], lag: some(0), entriesRead: some(10) });
    expect(await only(setGroupPosition(redis, { ...ref, id: ids[2]! }))).toBe("set");
    expect(await only(setGroupPosition(redis, { ...ref, id: ids[2]! }))).toBe("set");
    expect((await only(listGroups(redis, { stream })))[0]).toMatchObject({ lastDeliveredId: ids[2] });
    expect(await pending()).toBe(5);
  });

  it("has nothing to move where there is no group, and no stream", async () => {
    const { redis, stream, group } = workbench();
    expect(await only(setGroupPosition(redis, { stream, group, id: "0" }))).toBe("absent");
    expect(await redis.exists(stream)).toBe(0);
    await redis.xadd(stream, "*", "a", "1");
    expect(await only(setGroupPosition(redis, { stream, group, id: "0" }))).toBe("absent");
  });
});

describe("destroyGroup", () => {
  it("removes the group and its retries, keeps stream and dead letters, and does nothing the second time", async () => {
    const { redis, stream, group, ref } = await grouped();
    const [deadLetters, retries] = helperKeys(stream, group);
    await redis.xadd(deadLetters, "*", "a", "1");
    await redis.zadd(retries, 1, "1-0");
    expect(await only(destroyGroup(redis, ref))).toBe("destroyed");
    expect(await redis.xinfo("GROUPS", stream)).toHaveLength(0);
    expect([await redis.xlen(stream), await redis.xlen(deadLetters), await redis.exists(retries)]).toEqual([10, 1, 0]);
    expect(await only(destroyGroup(redis, ref))).toBe("absent");
    await expectNoConnections(redis);
  });

  it("deletes dead letters when told, also those a deleted stream has left behind", async () => {
    const { redis, stream, group, ref } = await grouped();
    const [deadLetters, retries] = helperKeys(stream, group);
    await redis.xadd(deadLetters, "*", "a", "1");
    await redis.zadd(retries, 1, "1-0");
    await redis.del(stream);
    expect(await only(destroyGroup(redis, { ...ref, deadLetters: "delete" }))).toBe("absent");
    expect(await redis.exists(stream, deadLetters, retries)).toBe(0);
  });

  it("errors for a key that is no stream, and removes nothing then", async () => {
    const { redis, stream, group } = workbench();
    const [, retries] = helperKeys(stream, group);
    await redis.set(stream, "text");
    await redis.zadd(retries, 1, "1-0");
    await expect(only(destroyGroup(redis, { stream, group }))).rejects.toMatchObject({ _tag: "WrongTypeError" });
    expect(await redis.exists(retries)).toBe(1);
  });
});

describe("deleteConsumer", () => {
  it("refuses while the consumer owns entries, and deletes it when it owns none", async () => {
    const { redis, stream, group, ids, ref, pending } = await grouped();
    await redis.xreadgroup("GROUP", group, "me", "COUNT", 3, "STREAMS", stream, ">");
    expect(await only(deleteConsumer(redis, { ...ref, consumer: "me" }))).toEqual({ _tag: "refused", pending: 3 });
    expect(await pending()).toBe(3);
    await redis.xack(stream, group, ...ids.slice(0, 3));
    expect(await only(deleteConsumer(redis, { ...ref, consumer: "me" }))).toEqual({ _tag: "deleted", moved: 0 });
    expect(await only(deleteConsumer(redis, { ...ref, consumer: "me" }))).toEqual({ _tag: "absent" });
    expect(await redis.xinfo("CONSUMERS", stream, group)).toHaveLength(0);
    await expectNoConnections(redis);
  });

  it("moves what it owns, thousands too, with idle times, delivery counts and retries as they are", async () => {
    const { redis, stream, group, ids, ref, pendingRows } = await grouped(1_700);
    await redis.xreadgroup("GROUP", group, "me", "COUNT", 1_600, "STREAMS", stream, ">");
    await redis.xreadgroup("GROUP", group, "you", "COUNT", 100, "STREAMS", stream, ">");
    await redis.xclaim(stream, group, "me", 0, ids[700]!, "IDLE", 70_000, "RETRYCOUNT", 4, "JUSTID");
    const [, retries] = helperKeys(stream, group);
    await redis.zadd(retries, 9_999_999_999_999, ids[0]!);
    const result = await only(deleteConsumer(redis, { ...ref, consumer: "me", pending: { moveTo: "heir" } }));
    expect(result).toEqual({ _tag: "deleted", moved: 1_600 });
    const rows = await pendingRows(2_000);
    expect(rows.map(([id]) => id)).toEqual(ids);
    expect(new Set(rows.slice(0, 1_600).map(([, consumer]) => consumer))).toEqual(new Set(["heir"]));
    expect(rows.filter(([, , , deliveries]) => deliveries !== 1).map(([id, , , deliveries]) => [id, deliveries])).toEqual([[ids[700], 4]]);
    expect(rows[700]![2]).toBeGreaterThanOrEqual(70_000);
    expect(await redis.zcard(retries)).toBe(1);
    expect(namesOf(await only(listConsumers(redis, ref)))).toEqual(["heir", "you"]);
  });

  it("has nothing to delete where there is no consumer, no group, and no stream", async () => {
    const { redis, stream, ref } = await grouped();
    const absent = { _tag: "absent" };
    expect(await only(deleteConsumer(redis, { ...ref, consumer: "nobody", pending: { moveTo: "heir" } }))).toEqual(absent);
    expect(await redis.xinfo("CONSUMERS", stream, ref.group)).toHaveLength(0);
    expect(await only(deleteConsumer(redis, { ...ref, group: "other", consumer: "me" }))).toEqual(absent);
    await redis.del(stream);
    expect(await only(deleteConsumer(redis, { ...ref, consumer: "me" }))).toEqual(absent);
  });
});

describe("pruneConsumers", () => {
  it("removes those that are idle and own nothing, more than one step of them", async () => {
    const { redis, stream, group, ref } = await grouped();
    const dead = Array.from({ length: 1_200 }, (_, index) => `dead-${index}`);
    const pipeline = redis.pipeline();
    for (const name of dead) pipeline.xgroup("CREATECONSUMER", stream, group, name);
    await pipeline.exec();
    await redis.xreadgroup("GROUP", group, "owner", "COUNT", 1, "STREAMS", stream, ">");
    const idle = async (): Promise<number> => Math.min(...(await only(listConsumers(redis, ref))).map(({ idleMs }) => idleMs));
    await until(async () => (await idle()) >= 20, "all were idle for a while");
    expect(await only(pruneConsumers(redis, { ...ref, idleMs: 3_600_000 }))).toEqual([]);
    expect([...(await only(pruneConsumers(redis, { ...ref, idleMs: 20 })))].sort()).toEqual(dead.sort());
    expect(namesOf(await only(listConsumers(redis, ref)))).toEqual(["owner"]);
    expect(await only(pruneConsumers(redis, { ...ref, idleMs: 20 }))).toEqual([]);
    await expectNoConnections(redis);
  });

  it("has nothing to prune where there is no group, and no stream", async () => {
    const { redis, stream, group } = workbench();
    expect(await only(pruneConsumers(redis, { stream, group, idleMs: 1 }))).toEqual([]);
    await redis.xadd(stream, "*", "a", "1");
    expect(await only(pruneConsumers(redis, { stream, group, idleMs: 1 }))).toEqual([]);
  });

  it("keeps one that waits at a quiet stream, where the server knows when it last tried to read; Redis 7.0 does not", async () => {
    const { redis, stream, group, ref } = await grouped(1);
    const live = run(fromGroup(redis, { ...ref, consumer: "live", startId: "0", blockMs: 100 }).pipe(acknowledge(redis)));
    await until(() => live.values.length === 1, "it has handled an entry");
    const knows = await knowsAttempts(redis, stream, group);
    const sinceLastEntry = async (): Promise<number> => {
      const { inactiveMs, idleMs } = (await only(listConsumers(redis, ref)))[0]!;
      return inactiveMs._tag === "Some" ? inactiveMs.value : idleMs;
    };
    await until(async () => (await sinceLastEntry()) > 2_000, "nothing has come for long");
    expect(await only(pruneConsumers(redis, { ...ref, idleMs: 2_000 }))).toEqual(knows ? [] : ["live"]);
  });

  it("loses nothing where it removes one that is blocked in a read: it is made again by what it is given", async () => {
    const { redis, stream, group, ref, add, pending } = await grouped(1);
    const seen: string[] = [];
    const live = run(
      fromGroup(redis, { ...ref, consumer: "live", startId: "0", blockMs: 30_000 }).pipe(
        tap(({ id }) => seen.push(id)),
        acknowledge(redis),
      ),
    );
    await until(() => live.values.length === 1, "it has handled an entry");
    const isBlocked = async (): Promise<boolean> => String(await redis.call("client", "list")).includes("cmd=xreadgroup");
    await until(async () => (await isBlocked()) && (await pending()) === 0, "it waits");
    await until(async () => (await only(listConsumers(redis, ref)))[0]!.idleMs >= 20, "it has waited for a while");
    expect(await only(pruneConsumers(redis, { ...ref, idleMs: 20 }))).toEqual(["live"]);
    const later = await add(20);
    await until(() => seen.length === 21, "all that came later was handled");
    expect(seen.slice(1)).toEqual(later);
    await until(async () => (await pending()) === 0, "all is acknowledged");
    expect(((await redis.xinfo("CONSUMERS", stream, group)) as unknown[][])[0]).toContain("live");
    expect(live.error).toBeUndefined();
  });
});

describe("listGroups and listConsumers", () => {
  it("show what XINFO does", async () => {
    const { redis, stream, group, ids, ref } = await grouped();
    await redis.xreadgroup("GROUP", group, "me", "COUNT", 3, "STREAMS", stream, ">");
    await redis.xgroup("CREATECONSUMER", stream, group, "new");
    await redis.xgroup("CREATE", stream, "zzz", ids[4]!);
    expect(await only(listGroups(redis, { stream }))).toEqual([
      { name: group, consumers: 2, pending: 3, lastDeliveredId: ids[2], entriesRead: some(3), lag: some(7) },
      { name: "zzz", consumers: 0, pending: 0, lastDeliveredId: ids[4], entriesRead: none, lag: none },
    ]);
    const consumers = await only(listConsumers(redis, ref));
    expect(consumers).toMatchObject([
      { name: "me", pending: 3 },
      { name: "new", pending: 0, inactiveMs: none },
    ]);
    expect(consumers.every(({ idleMs }) => idleMs >= 0 && idleMs < 10_000)).toBe(true);
    expect(consumers[0]!.inactiveMs._tag).toBe((await knowsAttempts(redis, stream, group)) ? "Some" : "None");
    await expectNoConnections(redis);
  });

  it("are empty where there is nothing", async () => {
    const { redis, stream, group } = workbench();
    expect(await only(listGroups(redis, { stream }))).toEqual([]);
    expect(await only(listConsumers(redis, { stream, group }))).toEqual([]);
    await redis.xadd(stream, "*", "a", "1");
    expect(await only(listGroups(redis, { stream }))).toEqual([]);
    expect(await only(listConsumers(redis, { stream, group }))).toEqual([]);
  });

  it("error for a key that is no stream", async () => {
    const { redis, stream, group } = workbench();
    await redis.set(stream, "text");
    await expect(firstValueFrom(listGroups(redis, { stream }))).rejects.toMatchObject({ _tag: "WrongTypeError" });
    await expect(firstValueFrom(listConsumers(redis, { stream, group }))).rejects.toMatchObject({ _tag: "WrongTypeError" });
  });
});

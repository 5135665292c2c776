import { lastValueFrom, toArray } from "rxjs";
import { checkpointKey, fromDeadLetters } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { IoredisCommands } from "../../src/redis/ioredis-commands.js";
import type { ClaimedKey } from "../../src/model/claim.js";
import { encodeNote } from "../../src/model/dead-letter.js";
import type { EntryId } from "../../src/model/entry-id.js";
import type { Write } from "../../src/model/write.js";
import type { Decision } from "../../src/redis/port.js";
import type { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { afterwards, helperKeys, workbench, type Workbench } from "../support/workbench.js";

interface Scripted extends Workbench {
  readonly commands: IoredisCommands;
  readonly ids: EntryId[];
  readonly ref: { readonly stream: string; readonly group: string; readonly consumer: string };
  /** Makes entries look as if they were delivered so many ms ago. */
  readonly deliveredBefore: (ms: number, ...ids: string[]) => Promise<void>;
}

/** Ten entries that are pending for `me`, the last two for `other`, and the commands that run the scripts. */
async function pendingEntries(): Promise<Scripted> {
  const bench = workbench();
  const { redis, stream, group, add } = bench;
  const ids = (await add(10)) as EntryId[];
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "me", "COUNT", 8, "STREAMS", stream, ">");
  await redis.xreadgroup("GROUP", group, "other", "COUNT", 2, "STREAMS", stream, ">");
  const commands = toPort(redis).openCommands() as IoredisCommands;
  afterwards(() => commands.close());
  const ref = { stream, group, consumer: "me" };
  const deliveredBefore = async (ms: number, ...some: string[]): Promise<void> => {
    const rows = await bench.pendingRows();
    for (const id of some) {
      const owner = rows.find(([row]) => row === id)![1];
      await redis.xclaim(stream, group, owner, 0, id, "IDLE", ms, "JUSTID");
    }
  };
  return { ...bench, commands, ids, ref, deliveredBefore };
}

const serverNow = async (redis: Redis): Promise<number> => {
  const [seconds, microseconds] = (await redis.time()) as unknown as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
};

const done = { _tag: "done" };
const notPending = { _tag: "notPending" };
const toKeep = { mode: "ack", deadLetterStream: undefined } as const;

describe("settle.lua", () => {
  it("acks, retries, releases and moves what is this consumer's, and nothing else", async () => {
    const { redis, stream, group, commands, ids, ref, pendingRows, deadLetters } = await pendingEntries();
    const [first, second, third, fourth] = ids as [EntryId, EntryId, EntryId, EntryId];
    const outcomes = await commands.settle(ref, {
      ...toKeep,
      decisions: [
        { verb: "ack", id: first },
        { verb: "retry", id: second, delayMs: 5_000 },
        { verb: "release", id: third },
        { verb: "dead", id: fourth, note: "{}", pairs: [] },
        { verb: "ack", id: ids[9]! },
        { verb: "dead", id: ids[8]!, note: "{}", pairs: [] },
        { verb: "ack", id: "1-1" as EntryId },
      ],
    });
    expect(outcomes).toEqual([done, done, done, done, notPending, notPending, notPending]);
    const rows = await pendingRows();
    expect(rows.map(([id]) => id)).toEqual([second, third, ...ids.slice(4)]);
    expect(rows[0]?.[3]).toBe(1);
    expect(rows[1]?.[3]).toBe(0);
    expect(rows[1]?.[2]).toBeGreaterThan(80_000_000);
    expect((await deadLetters()).map(([, pairs]) => pairs)).toEqual([["dead-letter", "{}", "n", "3"]]);
    const [retryId, dueAt] = await redis.zrange(helperKeys(stream, group)[1], "1", "1", "WITHSCORES");
    expect(retryId).toBe(second);
    expect(Math.abs(Number(dueAt) - Date.now() - 5_000)).toBeLessThan(2_000);
  });

  it("does nothing the second time", async () => {
    const { commands, ids, ref, deadLetters } = await pendingEntries();
    const request = { ...toKeep, decisions: [{ verb: "dead", id: ids[0]!, note: "{}", pairs: [] }] as const };
    expect(await commands.settle(ref, request)).toEqual([done]);
    expect(await commands.settle(ref, request)).toEqual([notPending]);
    expect(await deadLetters()).toHaveLength(1);
  });

  it("moves an entry that was trimmed meanwhile with the pairs it was delivered with", async () => {
    const { redis, stream, commands, ids, ref, pending, deadLetters } = await pendingEntries();
    await redis.xdel(stream, ids[0]!);
    const before = await pending();
    expect(await commands.settle(ref, { ...toKeep, decisions: [{ verb: "dead", id: ids[0]!, note: "{}", pairs: ["n", "kept"] }] })).toEqual(
      [done],
    );
    expect((await deadLetters())[0]?.[1]).toEqual(["dead-letter", "{}", "n", "kept"]);
    expect(await pending()).toBe(before - 1);
  });

  it("leaves the entry pending when the dead letter can't be written", async () => {
    const { redis, stream, group, commands, ids, ref, pending } = await pendingEntries();
    await redis.set(helperKeys(stream, group)[0], "no stream");
    const [outcome, other] = await commands.settle(ref, {
      ...toKeep,
      decisions: [
        { verb: "dead", id: ids[0]!, note: "{}", pairs: [] },
        { verb: "ack", id: ids[1]! },
      ],
    });
    expect(outcome).toMatchObject({ _tag: "failed", error: { message: expect.stringContaining("WRONGTYPE") as string } });
    expect(other).toEqual(done);
    expect(await pending()).toBe(9);
  });

  it("takes thousands of decisions in chunks, and entries of thousands of fields", async () => {
    const { redis, stream, group, add } = workbench();
    const ids = (await add(3_000)) as EntryId[];
    const wide = (await redis.xadd(stream, "*", ...Array.from({ length: 6_000 }, (_, n) => String(n)))) as EntryId;
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    const decisions = [...ids.map((id) => ({ verb: "ack", id }) as const), { verb: "dead", id: wide, note: "{}", pairs: [] } as const];
    const outcomes = await commands.settle({ stream, group, consumer: "me" }, { ...toKeep, decisions });
    expect(outcomes).toHaveLength(3_001);
    expect(new Set(outcomes.map(({ _tag }) => _tag))).toEqual(new Set(["done"]));
    expect((await redis.xrange(helperKeys(stream, group)[0], "-", "+"))[0]?.[1]).toHaveLength(6_002);
  });

  it("packs the fields of an entry that has more of them than a script can pass on", async () => {
    const { redis, stream, group } = workbench();
    const pairs = Array.from({ length: 20_000 }, (_, n) => String(n));
    const wide = (await redis.xadd(stream, "*", ...pairs)) as EntryId;
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    const note = encodeNote({
      origin: { stream, id: wide, group, consumer: "me" },
      cause: { name: "Error", message: "no" },
      deliveryCount: 1,
    });
    expect(
      await commands.settle({ stream, group, consumer: "me" }, { ...toKeep, decisions: [{ verb: "dead", id: wide, note, pairs }] }),
    ).toEqual([done]);
    const [letter] = await lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));
    expect(letter?.pairs).toEqual(pairs);
    expect(letter?.origin.id).toBe(wide);
  });

  it("deletes with ackAndDelete what no other group needs", async () => {
    const { redis, stream, commands, ids, ref } = await pendingEntries();
    await redis.xgroup("CREATE", stream, "behind", ids[1]!);
    const decisions = ids.slice(0, 4).map((id) => ({ verb: "ack", id }) as const);
    expect(await commands.settle(ref, { ...toKeep, mode: "ackAndDelete", decisions })).toEqual([done, done, done, done]);
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id)).toEqual(ids.slice(2));
  });

  it("does the steps of a decision with it, marks last, and nothing of them when it is not this consumer's", async () => {
    const { redis, stream, commands, ids, ref, pendingRows } = await pendingEntries();
    const key = (name: string): string => `{${stream}}:${name}`;
    afterwards(async () => redis.del(...(await redis.keys(key("*")))));
    const claim = (name: string, holder = "me"): ClaimedKey => ({ scope: { _tag: "stream" }, name, holder, ttlMs: 60_000 });
    const claimKey = (name: string): string => key(`dedupe:stream:${name}`);
    for (const name of ["a", "b", "c", "d", "foreign"]) await redis.set(claimKey(name), name === "foreign" ? "other" : "me");
    const add = (n: number): Write => ({ command: "XADD", key: key("out"), args: ["*", "n", n] });
    const outcomes = await commands.settle(ref, {
      ...toKeep,
      decisions: [
        { verb: "release", id: ids[0]!, delayMs: 5_000, claims: [claim("foreign")] },
        { verb: "ack", id: ids[1]!, claims: [claim("a")], writes: [add(1), add(2)] },
        { verb: "retry", id: ids[2]!, delayMs: 5_000, claims: [claim("b")] },
        { verb: "dead", id: ids[3]!, note: "{}", pairs: [], claims: [claim("c")] },
        { verb: "ack", id: ids[9]!, claims: [claim("d")], writes: [add(3)] },
        { verb: "ack", id: ids[4]!, writes: [{ command: "SADD", key: key("out"), args: ["x"] }], claims: [claim("d")] },
      ],
    });
    expect(outcomes.slice(0, 5)).toEqual([done, done, done, done, notPending]);
    expect(outcomes[5]).toMatchObject({ _tag: "failed", error: { message: `WRONGTYPE ${key("out")} is a stream, and SADD needs a set` } });
    expect((await redis.xrange(key("out"), "-", "+")).map(([, pairs]) => pairs[1])).toEqual(["1", "2"]);
    expect(await redis.mget(...["a", "b", "c", "d", "foreign"].map(claimKey))).toEqual(["done", null, null, "me", "other"]);
    expect(await redis.pttl(claimKey("a"))).toBeGreaterThan(50_000);
    const released = (await pendingRows())[0]!;
    expect([released[0], released[3]]).toEqual([ids[0], 0]);
    expect(released[2]).toBeLessThan(5_000);
    expect(await redis.zscore(helperKeys(stream, ref.group)[1], ids[0]!)).not.toBeNull();
  });

  it("keeps within the limits of Lua and of a call, with steps in every decision", async () => {
    const { redis, stream, group, add } = workbench();
    const ids = (await add(2_000)) as EntryId[];
    const out = `{${stream}}:out`;
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    afterwards(async () => redis.del(out, ...(await redis.keys(`{${stream}}:dedupe:*`))));
    const fields = Array.from({ length: 100 }, (_, n) => n);
    const decisions = ids.map((id): Decision => ({
      verb: "ack",
      id,
      writes: [{ command: "XADD", key: out, args: ["*", ...fields] }],
      claims: [{ scope: { _tag: "group" }, name: id, holder: id, ttlMs: 60_000 }],
    }));
    const outcomes = await commands.settle({ stream, group, consumer: "me" }, { ...toKeep, decisions });
    expect(outcomes).toHaveLength(2_000);
    expect(new Set(outcomes.map(({ _tag }) => _tag))).toEqual(new Set(["done"]));
    expect(await redis.xlen(out)).toBe(2_000);
    expect(await redis.keys(`{${stream}}:dedupe:group:${group}:*`)).toHaveLength(2_000);
  });

  it("out of memory refuses what adds and acknowledges the rest, whatever the order", async () => {
    const server = await ownServer();
    const { redis, stream, group, add } = workbench(server.url);
    const ids = (await add(3)) as EntryId[];
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    await redis.config("SET", "maxmemory", "1");
    const outcomes = await commands.settle(
      { stream, group, consumer: "me" },
      {
        ...toKeep,
        decisions: [
          { verb: "ack", id: ids[0]!, claims: [{ scope: { _tag: "group" }, name: "=a", holder: "me", ttlMs: 1_000 }] },
          { verb: "dead", id: ids[1]!, note: "{}", pairs: [] },
          { verb: "ack", id: ids[2]!, writes: [{ command: "XADD", key: `{${stream}}:out`, args: ["*", "n", 1] }] },
        ],
      },
    );
    expect(outcomes[0]).toEqual(done);
    for (const outcome of outcomes.slice(1))
      expect(outcome).toMatchObject({ error: { message: expect.stringContaining("OOM") as string } });
    expect(((await redis.xpending(stream, group, "-", "+", 9)) as [string][]).map(([id]) => id)).toEqual(ids.slice(1));
    expect(await redis.get(`{${stream}}:dedupe:group:${group}:=a`)).toBe("done");
  });

  it("says NOGROUP when the group is gone", async () => {
    const { redis, stream, group, commands, ids, ref } = await pendingEntries();
    await redis.xgroup("DESTROY", stream, group);
    await expect(commands.settle(ref, { ...toKeep, decisions: [{ verb: "release", id: ids[0]! }] })).rejects.toThrow(/NOGROUP/);
  });
});

describe("leave.lua", () => {
  it("hands back what a read claimed when it was due, with the count it had, and lets wait what waits", async () => {
    const { redis, stream, group, commands, ids, ref, deliveredBefore, pendingRows } = await pendingEntries();
    const [claimed, waiting] = ids as [EntryId, EntryId];
    const now = await serverNow(redis);
    const retries = helperKeys(stream, group)[1];
    await redis.zadd(retries, now - 500, claimed, now + 60_000, waiting);
    await redis.xclaim(stream, group, "me", 0, claimed, "RETRYCOUNT", 2, "IDLE", 400, "JUSTID");
    await deliveredBefore(400, waiting);
    await commands.leave(ref, { remove: true });
    const rows = new Map((await pendingRows()).map(([id, consumer, , count]) => [id, [consumer, count]]));
    expect([rows.get(claimed), rows.get(waiting)]).toEqual([["released", 1], ["released", 1]]); // prettier-ignore
    const { entries } = await commands.takeDue({ ...ref, consumer: "next" }, 100);
    expect(entries.find(([id]) => id === claimed)?.[2]).toBe(2);
    expect(entries.some(([id]) => id === waiting)).toBe(false);
  });
});

describe("next-due.lua", () => {
  it("says for each stream when its next retry is due", async () => {
    const { redis, stream, group, commands } = await pendingEntries();
    const others = [`${stream}:due`, `${stream}:none`];
    const now = await serverNow(redis);
    await redis.zadd(helperKeys(stream, group)[1], now + 9_000, "1-1", now + 5_000, "2-1");
    await redis.zadd(helperKeys(others[0]!, group)[1], now - 5_000, "1-1");
    afterwards(() => redis.del(helperKeys(others[0]!, group)[1]));
    const [soon, due, none] = await commands.nextDue([stream, ...others], group);
    expect([Math.round(soon! / 1_000), due, none]).toEqual([5, 0, undefined]);
  });
});

describe("confirm.lua", () => {
  it("hands on what was stale or due, and puts back what waits or is in flight, as it was", async () => {
    const { redis, stream, group, commands, ids, ref, pendingRows } = await pendingEntries();
    const [stale, due, waiting, inFlight] = ids as [EntryId, EntryId, EntryId, EntryId];
    const now = await serverNow(redis);
    const retries = helperKeys(stream, group)[1];
    await redis.zadd(retries, now - 10, due, now + 60_000, waiting);
    await redis.xclaim(stream, group, "me", 0, stale, due, waiting, inFlight); // what CLAIM does: a delivery more each
    const foreign = ids[9]!;
    expect(await commands.confirmClaims(ref, [stale, due, waiting, foreign], [inFlight])).toEqual({ retries: [due], stale: [stale], waiting: 1 }); // prettier-ignore
    const count = new Map((await pendingRows()).map(([id, , , deliveries]) => [id, deliveries]));
    expect([stale, due, waiting, inFlight, foreign].map((id) => count.get(id))).toEqual([2, 2, 1, 1, 1]);
    expect(await redis.zrange(retries, "0", "-1")).toEqual([waiting]);
  });
});

describe("claim.lua", () => {
  it("takes what is free or the entry's own, renews only what is that, and says what is done or another's", async () => {
    const { redis, stream } = workbench();
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    const key = (name: string): string => `{${stream}}:dedupe:group:a%3Ab:${name}`;
    afterwards(() => redis.del(...["free", "mine", "other", "done"].map(key)));
    const ref = { stream, group: "a:b" };
    const claims = ["free", "mine", "other", "done"].map((name): ClaimedKey => ({
      scope: { _tag: "group" },
      name,
      holder: "me",
      ttlMs: 1,
    }));
    await redis.set(key("mine"), "me", "PX", 100);
    await redis.set(key("other"), "somebody", "PX", 50_000);
    await redis.set(key("done"), "done", "PX", 50_000);
    expect((await commands.claim(ref, claims, "renew", 9_000)).map(({ _tag }) => _tag)).toEqual(["claimed", "taken", "claimed", "done"]);
    expect(await redis.exists(key("free"))).toBe(0);
    expect(await redis.pttl(key("mine"))).toBeGreaterThan(5_000);
    const answers = await commands.claim(ref, claims, "take", 9_000);
    expect(answers.map(({ _tag }) => _tag)).toEqual(["taken", "taken", "claimed", "done"]);
    expect((answers[3] as { forMs: number }).forMs).toBeGreaterThan(40_000);
    expect(await redis.get(key("free"))).toBe("me");
    expect(await redis.pttl(key("free"))).toBeGreaterThan(5_000);
  });
});

describe("take.lua", () => {
  it("due: takes what is due, counts the delivery, and says when the next one is", async () => {
    const { redis, stream, group, commands, ids, ref, deadLetters, deliveredBefore } = await pendingEntries();
    const [, retries] = helperKeys(stream, group);
    const now = await serverNow(redis);
    await redis.zadd(retries, now - 4, ids[9]!, now - 3, ids[1]!, now - 2, "1-1", now + 60_000, ids[2]!);
    await deliveredBefore(1_000, ids[9]!, ids[1]!);
    const { entries, deleted, nextDueMs } = await commands.takeDue(ref, 10);
    expect(entries).toEqual([
      [ids[9], ["n", "9"], 2],
      [ids[1], ["n", "1"], 2],
    ]);
    expect(deleted).toEqual([]);
    expect(nextDueMs).toBeGreaterThan(50_000);
    expect(await redis.zrange(retries, "0", "-1")).toEqual([ids[2]]);
    expect(await deadLetters()).toEqual([]);
  });

  it("due: takes no more than asked for, and only looks with 0", async () => {
    const { redis, stream, group, commands, ids, ref, deliveredBefore } = await pendingEntries();
    const now = await serverNow(redis);
    await redis.zadd(helperKeys(stream, group)[1], now - 2, ids[0]!, now - 1, ids[1]!);
    await deliveredBefore(1_000, ids[0]!, ids[1]!);
    expect(await commands.takeDue(ref, 0)).toEqual({ entries: [], deleted: [], nextDueMs: 0 });
    expect((await commands.takeDue(ref, 1)).entries).toHaveLength(1);
    expect((await commands.takeDue(ref, 5)).nextDueMs).toBeUndefined();
  });

  it("due: leaves alone what was delivered after it was due: a read that claims has taken it up", async () => {
    const { redis, stream, group, commands, ids, ref, deliveredBefore, pendingRows } = await pendingEntries();
    const now = await serverNow(redis);
    await redis.zadd(helperKeys(stream, group)[1], now - 500, ids[0]!, now - 500, ids[1]!);
    await deliveredBefore(600, ids[0]!);
    await deliveredBefore(400, ids[1]!);
    expect((await commands.takeDue(ref, 10)).entries.map(([id]) => id)).toEqual([ids[0]]);
    expect(await redis.exists(helperKeys(stream, group)[1])).toBe(0);
    expect((await pendingRows()).find(([id]) => id === ids[1])?.[3]).toBe(1);
  });

  it("idle: takes what a read claimed when it was due and nobody has seen, although the schedule has it still", async () => {
    const { redis, stream, group, commands, ids, ref, deliveredBefore } = await pendingEntries();
    const now = await serverNow(redis);
    await redis.zadd(helperKeys(stream, group)[1], now - 500, ids[0]!, now + 60_000, ids[1]!);
    await deliveredBefore(400, ids[0]!, ids[1]!);
    const own = await commands.takeIdle(ref, { max: 100, minIdleMs: 0, owner: "me", cursor: "-", counts: false, leaveAlone: ids.slice(2) });
    expect(own.entries.map(([id]) => id)).toEqual([ids[0]]);
  });

  it("idle: leaves alone what waits for a retry, what is in flight, and what is not idle for long enough", async () => {
    const { redis, stream, group, commands, ids, ref } = await pendingEntries();
    await redis.zadd(helperKeys(stream, group)[1], Date.now() + 60_000, ids[0]!);
    const own = await commands.takeIdle(ref, { max: 100, minIdleMs: 0, owner: "me", cursor: "-", leaveAlone: [ids[1]!, ids[2]!] });
    expect(own.entries.map(([id, , count]) => [id, count])).toEqual(ids.slice(3, 8).map((id) => [id, 2]));
    expect(own.cursor).toBeUndefined();
    const fresh = await commands.takeIdle(ref, { max: 100, minIdleMs: 60_000, cursor: "-" });
    expect(fresh.entries).toEqual([]);
    const stale = await commands.takeIdle(ref, { max: 100, minIdleMs: 0, cursor: "-" });
    expect(stale.entries.map(([id]) => id)).toEqual(ids.slice(8));
    expect(stale.mine).toEqual(ids.slice(1, 8));
  });

  it("idle: takes what never arrived without counting a delivery", async () => {
    const { commands, ids, ref, pendingRows } = await pendingEntries();
    const { entries } = await commands.takeIdle(ref, { max: 3, minIdleMs: 0, owner: "me", cursor: "-", counts: false });
    expect(entries).toEqual(ids.slice(0, 3).map((id, n) => [id, ["n", String(n)], 1]));
    expect((await pendingRows()).every(([, , , deliveries]) => deliveries === 1)).toBe(true);
  });

  it("idle: goes on where it stopped, and acks deleted entries away", async () => {
    const { redis, stream, commands, ids, ref, pending } = await pendingEntries();
    await redis.xdel(stream, ids[1]!, ids[5]!);
    const other = { ...ref, consumer: "third" };
    const first = await commands.takeIdle(other, { max: 4, minIdleMs: 0, cursor: "-" });
    expect(first.entries.map(([id]) => id)).toEqual([ids[0], ids[2], ids[3]]);
    expect(first.deleted).toEqual([ids[1]]);
    const second = await commands.takeIdle(other, { max: 100, minIdleMs: 0, cursor: first.cursor! });
    expect(second.entries.map(([id]) => id)).toEqual([ids[4], ...ids.slice(6)]);
    expect(second.deleted).toEqual([ids[5]]);
    expect(await pending()).toBe(8);
  });
});

describe("renew.lua", () => {
  it("renews what is this consumer's without counting a delivery, and says what is lost or deleted", async () => {
    const { redis, stream, group, commands, ids, ref, pendingRows } = await pendingEntries();
    await redis.xclaim(stream, group, "me", 0, ids[0]!, ids[1]!, "IDLE", 50_000, "JUSTID");
    await redis.xclaim(stream, group, "other", 0, ids[8]!, "IDLE", 50_000, "JUSTID");
    await redis.xdel(stream, ids[2]!);
    const { lost, deleted, absent } = await commands.renew(ref, [ids[0]!, ids[1]!, ids[2]!, ids[8]!, "1-1" as EntryId]);
    expect(lost).toEqual([ids[8]]);
    expect(absent).toEqual(["1-1"]);
    expect(deleted).toEqual([ids[2]]);
    const rows = new Map((await pendingRows()).map((row) => [row[0], row]));
    for (const id of [ids[0]!, ids[1]!]) {
      expect(rows.get(id)?.[2]).toBeLessThan(5_000);
      expect(rows.get(id)?.[3]).toBe(1);
    }
    expect(rows.get(ids[8]!)?.[1]).toBe("other");
    expect(rows.get(ids[8]!)?.[2]).toBeGreaterThan(40_000);
  });
});

describe("adopt.lua", () => {
  it("makes pending again what is pending for nobody, and leaves the rest as it is", async () => {
    const { redis, stream, group, commands, ids, ref, pendingRows } = await pendingEntries();
    await redis.xgroup("DELCONSUMER", stream, group, "me");
    await redis.xdel(stream, ids[1]!);
    expect(await commands.adopt(ref, [ids[0]!, ids[1]!, ids[8]!, "1-1" as EntryId])).toEqual([ids[0]]);
    expect((await pendingRows()).map(([id, consumer, , deliveries]) => [id, consumer, deliveries])).toEqual([
      [ids[0], "me", 1],
      [ids[8], "other", 1],
      [ids[9], "other", 1],
    ]);
  });
});

describe("leave.lua", () => {
  it("hands back what is pending for the consumer; what waits for a retry goes on waiting; another holds both", async () => {
    const { redis, stream, group, commands, ids, ref, pendingRows } = await pendingEntries();
    const [, retries] = helperKeys(stream, group);
    await redis.zadd(retries, Date.now() + 60_000, ids[0]!);
    expect(await commands.leave(ref, { remove: true })).toBe(7);
    const rows = await pendingRows();
    expect(rows.map(([, consumer, , deliveries]) => [consumer, deliveries])).toEqual([
      ["released", 1],
      ...Array.from({ length: 7 }, () => ["released", 0]),
      ...Array.from({ length: 2 }, () => ["other", 1]),
    ]);
    expect(await redis.zcard(retries)).toBe(8);
    const consumers = (await redis.xinfo("CONSUMERS", stream, group)) as string[][];
    expect(consumers.map((info) => info[1])).toEqual(["other", "released"]);
  });

  it("hands back some alone, and leaves them where they are", async () => {
    const { commands, ids, ref, pendingRows } = await pendingEntries();
    expect(await commands.leave(ref, { remove: false, only: [ids[1]!, ids[3]!, ids[9]!] })).toBe(2);
    expect(await commands.leave(ref, { remove: false, only: [] })).toBe(0);
    const rows = await pendingRows();
    expect(rows.filter(([, , , deliveries]) => deliveries === 0).map(([id, consumer]) => [id, consumer])).toEqual([
      [ids[1], "me"],
      [ids[3], "me"],
    ]);
  });

  it("removes the consumer only when asked and when nothing is left of it", async () => {
    const { redis, stream, group, commands, ids, ref } = await pendingEntries();
    await redis.xack(stream, group, ...ids.slice(0, 8));
    expect(await commands.leave(ref, { remove: false })).toBe(0);
    expect(await redis.xinfo("CONSUMERS", stream, group)).toHaveLength(2);
    await commands.leave(ref, { remove: true });
    expect(await redis.xinfo("CONSUMERS", stream, group)).toHaveLength(1);
  });

  it("hands back thousands, a page a call", async () => {
    const { redis, stream, group, add } = workbench();
    await add(2_300);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    const commands = toPort(redis).openCommands() as IoredisCommands;
    afterwards(() => commands.close());
    expect(await commands.leave({ stream, group, consumer: "me" }, { remove: true })).toBe(2_300);
    expect(await redis.zcard(helperKeys(stream, group)[1])).toBe(2_300);
  });
});

describe("scripts on a server that forgets them", () => {
  it("are sent again after SCRIPT FLUSH", async () => {
    const { redis, commands, ref } = await pendingEntries();
    await commands.takeDue(ref, 0);
    await redis.script("FLUSH");
    await expect(commands.takeDue(ref, 0)).resolves.toMatchObject({ entries: [] });
  });
});

describe("settle.lua without a group", () => {
  it("adds dead letters to the stream's own, from the entry where it is left, and touches nothing else", async () => {
    const { redis, stream, commands, ids, pendingRows } = await pendingEntries();
    const deadLetters = `{${stream}}:dlq`;
    afterwards(() => redis.del(deadLetters));
    await redis.xdel(stream, ids[1]!);
    const outcomes = await commands.settle(
      { stream, group: "", consumer: "" },
      {
        mode: "ackAndDelete",
        deadLetterStream: undefined,
        decisions: [
          { verb: "dead", id: ids[0]!, note: "{}", pairs: ["not", "looked at"] },
          { verb: "dead", id: ids[1]!, note: "{}", pairs: ["n", "kept"] },
        ],
      },
    );
    expect(outcomes).toEqual([done, done]);
    expect((await redis.xrange(deadLetters, "-", "+")).map(([, pairs]) => pairs)).toEqual([
      ["dead-letter", "{}", "n", "0"],
      ["dead-letter", "{}", "n", "kept"],
    ]);
    expect(await redis.xlen(stream)).toBe(9);
    expect(await pendingRows()).toHaveLength(10);
  });
});

describe("checkpoint.lua", () => {
  it("moves forward only, by number, and away from an id that is named", async () => {
    const { redis, stream } = workbench();
    const history = toPort(redis).openHistory();
    const ref = { stream, name: "audit" };
    afterwards(() => redis.del(checkpointKey(stream, "audit")));
    afterwards(() => history.close());
    const move = async (id: string, insteadOf?: string): Promise<unknown> =>
      history.moveCheckpoint(ref, id as EntryId, insteadOf as EntryId | undefined);
    const most = "18446744073709551615";
    expect(await history.checkpoint(ref)).toBeUndefined();
    expect(await move("9-5")).toBe("9-5");
    expect(await move("9-10")).toBe("9-10");
    expect(await move("9-9")).toBe("9-10");
    expect(await move("10-0")).toBe("10-0");
    expect(await move(`${most}-0`)).toBe(`${most}-0`);
    expect(await move(`18446744073709551614-${most}`)).toBe(`${most}-0`);
    expect(await move("0-0", "10-0")).toBe(`${most}-0`);
    expect(await move("0-0", `${most}-0`)).toBe("0-0");
    expect(await history.checkpoint(ref)).toBe("0-0");
  });
});

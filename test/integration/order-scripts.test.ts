import { describe, expect, it } from "vitest";
import type { EntryId } from "../../src/model/entry-id.js";
import { orderKey } from "../../src/model/keys.js";
import { orderMark } from "../../src/model/order-mark.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { StreamCommands } from "../../src/redis/port.js";
import { afterwards, helperKeys, workbench, type Workbench } from "../support/workbench.js";

interface Scripted extends Workbench {
  readonly commands: StreamCommands;
  readonly ids: readonly EntryId[];
  readonly ref: { readonly stream: string; readonly group: string; readonly consumer: string };
  readonly order: string;
  readonly schedule: string;
  readonly putBack: (n: number, verb: "retry" | "release", delayMs: number) => Promise<unknown>;
  readonly dueInMs: (n: number) => Promise<number>;
  readonly earlier: (n: number, above?: number, key?: string) => Promise<unknown>;
}

/** Twenty entries of one key that are pending, all in one ms so that their ids differ in length. */
async function pendingEntries(key = "alice"): Promise<Scripted> {
  const bench = workbench();
  const { redis, stream, group } = bench;
  const ids = Array.from({ length: 20 }, (_, n) => `1700000000000-${n}` as EntryId);
  for (const id of ids) await redis.xadd(stream, id, "n", "1");
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
  const commands = toPort(redis).openCommands();
  afterwards(() => commands.close());
  const ref = { stream, group, consumer: "me" };
  const [, schedule] = helperKeys(stream, group);
  return {
    ...bench,
    commands,
    ids,
    ref,
    schedule,
    order: orderKey(stream, group),
    putBack: async (n, verb, delayMs) =>
      commands.settle(ref, {
        mode: "ack",
        deadLetterStream: undefined,
        decisions: [{ verb, id: ids[n]!, delayMs, marks: [orderMark(key, ids[n]!)] }],
      }),
    dueInMs: async (n) => Number(await redis.zscore(schedule, ids[n]!)) - Date.now(),
    earlier: async (n, above, of = key) => {
      const questions = [{ key: of, id: ids[n]!, above: above === undefined ? undefined : ids[above] }];
      return ((await commands.earlier(ref, questions)) as readonly unknown[])[0];
    },
  };
}

const nothing = { isMarked: false, waitsMs: undefined };

describe("settle.lua with a mark", () => {
  it("notes what is put back in the same step, and for how long; a mark is of one kind", async () => {
    const { redis, order, ids, putBack, dueInMs, pendingRows } = await pendingEntries();
    await putBack(0, "retry", 60_000);
    await putBack(1, "release", 30_000);
    expect(await redis.zrange(order, "0", "-1")).toEqual([`${orderMark("alice", ids[0]!)}r`, `${orderMark("alice", ids[1]!)}d`]);
    expect(Math.abs((await dueInMs(0)) - 60_000)).toBeLessThan(2_000);
    expect(Math.abs((await dueInMs(1)) - 30_000)).toBeLessThan(2_000);
    expect((await pendingRows()).slice(0, 3).map(([, , , deliveries]) => deliveries)).toEqual([1, 0, 1]);
    await putBack(1, "retry", 0);
    expect(await redis.zrange(order, "0", "-1")).toEqual([`${orderMark("alice", ids[0]!)}r`, `${orderMark("alice", ids[1]!)}r`]);
  });

  it("leaves the entry pending and unscheduled when the mark can't be written", async () => {
    const { redis, order, schedule, putBack, pendingRows } = await pendingEntries();
    await redis.set(order, "no ZSET");
    expect(await putBack(0, "release", 5)).toMatchObject([{ _tag: "failed" }]);
    expect(await redis.exists(schedule)).toBe(0);
    expect((await pendingRows())[0]?.[3]).toBe(1);
  });
});

describe("earlier.lua", () => {
  it("says whether an earlier entry of the key waits, and for how long", async () => {
    const { earlier, putBack } = await pendingEntries();
    expect(await earlier(9)).toEqual(nothing); // no key at all: EXISTS says so
    await putBack(3, "retry", 60_000);
    expect(await earlier(2)).toEqual(nothing);
    expect(await earlier(3)).toEqual({ isMarked: true, waitsMs: undefined });
    const answer = (await earlier(10)) as { readonly waitsMs: number }; // "…-10" is below "…-3" as text
    expect(answer).toMatchObject({ isMarked: false });
    expect(Math.abs(answer.waitsMs - 60_000)).toBeLessThan(2_000);
    expect(await earlier(10, 3)).toEqual(nothing);
    expect(await earlier(10, 2)).toMatchObject({ waitsMs: expect.any(Number) as number });
    for (const other of ["alic", "alice2", "alice:", "", "6:alice"]) expect(await earlier(10, undefined, other)).toEqual(nothing);
  });

  it("answers 0 for one that is not scheduled, because somebody works on it", async () => {
    const { redis, schedule, ids, earlier, putBack } = await pendingEntries();
    await putBack(3, "retry", 60_000);
    await redis.zrem(schedule, ids[3]!);
    expect(await earlier(4)).toEqual({ isMarked: false, waitsMs: 0 });
  });

  it("looks past entries that are settled, and forgets them: also those nobody asks for", async () => {
    const { redis, stream, group, order, ids, earlier, putBack } = await pendingEntries();
    for (const n of [1, 2, 3, 15]) await putBack(n, "release", 60_000);
    await redis.xack(stream, group, ids[1]!, ids[2]!, ids[15]!);
    expect(await earlier(10)).toMatchObject({ waitsMs: expect.any(Number) as number });
    expect(await redis.zrange(order, "0", "-1")).toEqual([`${orderMark("alice", ids[3]!)}d`]);
  });

  it.each(["", "a\0b", "7-5:7-5", "ключ", "r", "x".repeat(5_000)])("takes any key: %j", async (key) => {
    const { earlier, putBack } = await pendingEntries(key);
    await putBack(3, "retry", 60_000);
    expect(await earlier(4)).toMatchObject({ waitsMs: expect.any(Number) as number });
    expect(await earlier(4, undefined, `${key}!`)).toEqual(nothing);
  });

  it("takes thousands of questions, and says NOGROUP when the group is gone", async () => {
    const { redis, stream, group, ids, commands, ref, putBack } = await pendingEntries();
    await putBack(3, "retry", 60_000);
    const questions = Array.from({ length: 3_000 }, (_, n) => ({ key: n % 2 === 0 ? "alice" : "bob", id: ids[9]!, above: undefined }));
    const answers = (await commands.earlier(ref, questions)) as readonly { readonly waitsMs: number | undefined }[];
    expect(answers.map(({ waitsMs }) => waitsMs !== undefined)).toEqual(questions.map((_, n) => n % 2 === 0));
    await redis.xgroup("DESTROY", stream, group);
    await expect(commands.earlier(ref, questions)).rejects.toThrow(/NOGROUP/);
  });
});

describe("forward.lua", () => {
  it("forgets what is settled, and makes due what only waited for it, in order and so many", async () => {
    const { redis, order, ids, ref, commands, putBack, dueInMs } = await pendingEntries();
    await putBack(0, "retry", 60_000);
    for (const n of [1, 2, 10]) await putBack(n, "release", 65_000);
    expect(await commands.forward(ref, [{ key: "alice", settled: [ids[0]!], count: 2 }])).toBe(2);
    expect(await Promise.all([0, 1, 2, 10].map(async (n) => (await dueInMs(n)) < 2_000))).toEqual([false, true, true, false]);
    expect(await redis.zrange(order, "0", "-1")).toHaveLength(3);
    expect(await commands.forward(ref, [{ key: "bob", settled: [], count: 5 }])).toBe(0);
  });

  it("leaves a retry its own time, and what waits behind it", async () => {
    const { ids, ref, commands, putBack, dueInMs } = await pendingEntries();
    for (const n of [0, 1, 3]) await putBack(n, "release", 60_000);
    await putBack(2, "retry", 60_000);
    expect(await commands.forward(ref, [{ key: "alice", settled: [ids[0]!], count: 9 }])).toBe(1);
    expect(await Promise.all([1, 2, 3].map(async (n) => (await dueInMs(n)) < 2_000))).toEqual([true, false, false]);
  });
});

describe("take.lua", () => {
  it("due: takes what is due together in the order of the stream", async () => {
    const { redis, stream, group, schedule, ids, ref, commands } = await pendingEntries();
    await redis.xclaim(stream, group, "me", 0, ...ids, "IDLE", 60_000, "JUSTID");
    const due = Date.now() - 1_000;
    await redis.zadd(schedule, ...ids.slice(1, 15).flatMap((id) => [due, id]));
    const page = (await commands.takeDue(ref, 100)) as unknown as { readonly entries: readonly (readonly [EntryId])[] };
    expect(page.entries.map(([id]) => id)).toEqual(ids.slice(1, 15));
  });
});

describe("destroy-group.lua", () => {
  it("removes the order with the group", async () => {
    const { redis, order, ref, putBack } = await pendingEntries();
    await putBack(0, "retry", 60_000);
    const admin = toPort(redis).openAdmin();
    afterwards(() => admin.close());
    expect(await admin.destroyGroup(ref, "keep")).toBe(true);
    expect(await redis.exists(order)).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import type { EntryId } from "../../src/model/entry-id.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { IoredisAdmin } from "../../src/redis/ioredis-admin.js";
import { afterwards, helperKeys, workbench, type Workbench } from "../support/workbench.js";

interface Scripted extends Workbench {
  readonly admin: IoredisAdmin;
  readonly ids: EntryId[];
  readonly ref: { readonly stream: string; readonly group: string; readonly consumer: string };
}

/** Entries that are pending for `me`, and the commands that run the scripts. */
async function pendingEntries(count: number): Promise<Scripted> {
  const bench = workbench();
  const { redis, stream, group, add } = bench;
  const ids = (await add(count)) as EntryId[];
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
  const admin = toPort(redis).openAdmin() as IoredisAdmin;
  afterwards(() => admin.close());
  return { ...bench, admin, ids, ref: { stream, group, consumer: "me" } };
}

describe("delete-consumer.lua", () => {
  it("moves a page a call, and deletes with the last one", async () => {
    const { redis, stream, group, admin, ref, pending } = await pendingEntries(401);
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "more", moved: 200 });
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "more", moved: 200 });
    expect(await redis.xpending(stream, group, "-", "+", 10, "me")).toHaveLength(1);
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "deleted", moved: 1 });
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "absent", moved: 0 });
    expect(await pending()).toBe(401);
  });

  it("asks to be called again after a page that was full, and deletes then", async () => {
    const { admin, ref } = await pendingEntries(200);
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "more", moved: 200 });
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "deleted", moved: 0 });
  });

  it("acks away what was trimmed while it was pending", async () => {
    const { redis, stream, admin, ids, ref, pendingRows } = await pendingEntries(5);
    await redis.xdel(stream, ids[1]!, ids[2]!);
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "deleted", moved: 3 });
    expect((await pendingRows()).map(([id, consumer]) => [id, consumer])).toEqual([0, 3, 4].map((index) => [ids[index], "heir"]));
  });

  it("refuses without doing anything, and moves every state of an entry", async () => {
    const { redis, stream, group, admin, ids, ref, pendingRows } = await pendingEntries(4);
    await redis.xclaim(stream, group, "me", 0, ids[0]!, "IDLE", 90_000, "RETRYCOUNT", 0, "JUSTID");
    await redis.xclaim(stream, group, "me", 0, ids[1]!, "IDLE", 90_000, "RETRYCOUNT", 5, "JUSTID");
    await redis.xclaim(stream, group, "me", 0, ids[2]!, "IDLE", 0, "RETRYCOUNT", "9223372036854775807", "JUSTID");
    expect(await admin.deleteConsumer(ref, undefined)).toEqual({ _tag: "refused", pending: 4 });
    expect(await redis.xinfo("CONSUMERS", stream, group)).toHaveLength(1);
    expect(await admin.deleteConsumer(ref, "heir")).toEqual({ _tag: "deleted", moved: 4 });
    const rows = await pendingRows();
    expect(rows.map(([, consumer, , deliveries]) => [consumer, deliveries])).toEqual([
      ["heir", 0],
      ["heir", 5],
      ["heir", 99_999_999_999_999],
      ["heir", 1],
    ]);
    expect(rows.map(([, , idleMs]) => idleMs >= 90_000)).toEqual([true, true, false, false]);
  });
});

describe("prune-consumers.lua", () => {
  it("removes a step of consumers a call, and none that owns an entry", async () => {
    const { redis, stream, group, admin, ref } = await pendingEntries(1);
    const pipeline = redis.pipeline();
    for (let n = 0; n < 700; n += 1) pipeline.xgroup("CREATECONSUMER", stream, group, `dead-${n}`);
    await pipeline.exec();
    expect(await admin.pruneConsumers(ref, 0)).toHaveLength(500);
    expect(await admin.pruneConsumers(ref, 0)).toHaveLength(200);
    expect(await admin.pruneConsumers(ref, 0)).toEqual([]);
    expect((await admin.listConsumers(ref)).map(({ name }) => name)).toEqual(["me"]);
  });
});

describe("destroy-group.lua", () => {
  it("removes the group with its retries, and its dead letters when asked, whether the stream is there or not", async () => {
    const { redis, stream, group, admin, ref } = await pendingEntries(3);
    const helpers = helperKeys(stream, group);
    await redis.xadd(helpers[0], "*", "a", "1");
    await redis.zadd(helpers[1], 1, "1-0");
    expect(await admin.destroyGroup(ref, "keep")).toBe(true);
    expect(await redis.exists(...helpers)).toBe(1);
    expect(await admin.destroyGroup(ref, "delete")).toBe(false);
    expect(await redis.exists(...helpers)).toBe(0);
    await redis.del(stream);
    expect(await admin.destroyGroup(ref, "delete")).toBe(false);
    expect(await redis.exists(stream)).toBe(0);
  });
});

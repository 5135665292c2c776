import { describe, expect, inject, it } from "vitest";
import type { RedisConnection } from "../../src/redis/client.js";
import { callLong } from "../../src/redis/fast/long-call.js";
import { clusterClient } from "../support/cluster-client.js";
import { Redis } from "../support/ioredis.js";
import { afterwards, workbench } from "../support/workbench.js";

const words = [...Array.from({ length: 400 }, (_, n) => `${n}-ü🎏`), "", "\r\n$3\r\n", ...Array.from({ length: 400 }, (_, n) => String(n))];
const bytes = Buffer.from([0, 255, 13, 10, 36]);
const asConnection = (client: unknown): RedisConnection => client as RedisConnection;

describe("a command of many words", () => {
  it("arrives as it was given, text, numbers and bytes", async () => {
    const { redis, stream } = workbench();
    expect(await callLong(asConnection(redis), "rpush", [stream, ...words, 7, bytes])).toBe(words.length + 2);
    const stored = await redis.lrangeBuffer(stream, 0, -1);
    expect(stored).toEqual([...words.map((word) => Buffer.from(word)), Buffer.from("7"), bytes]);
    await redis.del(stream);
  });

  it("of a script finds its keys", async () => {
    const { redis, stream } = workbench();
    const keys = Array.from({ length: 100 }, (_, n) => `{${stream}}:${n}`);
    const script = "for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i]) end return #KEYS";
    expect(await callLong(asConnection(redis), "eval", [script, keys.length, ...keys, ...keys])).toBe(keys.length);
    expect(await redis.mget(keys)).toEqual(keys);
    await redis.del(keys);
  });

  it("fails as any other", async () => {
    const { redis, stream } = workbench();
    await redis.set(stream, "text");
    await expect(callLong(asConnection(redis), "rpush", [stream, ...words])).rejects.toThrow("WRONGTYPE");
    await redis.del(stream);
  });

  it("waits for a connection that is not there yet, and is sent again over the next one", async () => {
    const { redis, stream } = workbench();
    const other = new Redis(inject("redisUrl"), { lazyConnect: true });
    afterwards(() => other.disconnect());
    expect(await callLong(asConnection(other), "rpush", [stream, ...words])).toBe(words.length);
    await redis.call("client", "kill", "id", String(await other.client("ID")));
    expect(await callLong(asConnection(other), "rpush", [stream, ...words])).toBe(2 * words.length);
    await redis.del(stream);
  });

  it("goes to the node that has its key", async () => {
    const { cluster } = await clusterClient();
    for (const key of ["a", "b", "c", "d"]) {
      expect(await callLong(asConnection(cluster), "rpush", [key, ...words])).toBe(words.length);
      const keys = Array.from({ length: 40 }, (_, n) => `{${key}}:${n}`);
      expect(await callLong(asConnection(cluster), "eval", ["return KEYS[40]", keys.length, ...keys])).toBe(keys[39]);
    }
  });
});

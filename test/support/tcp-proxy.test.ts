import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { SpawnedServer } from "./redis-server/spawn-server.js";
import { startServer } from "./redis-server/start-server.js";
import { startProxy, type TcpProxy } from "./tcp-proxy.js";

let server: SpawnedServer;
let direct: Redis;
let proxy: TcpProxy;
let proxied: Redis;

/** A client that makes the best of one connection and never asks twice. */
async function connectTo(url: string): Promise<Redis> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {}); // the command that fails says it
  await redis.connect();
  return redis;
}

beforeAll(async () => {
  server = await startServer();
  direct = await connectTo(server.url);
});
beforeEach(async () => {
  await direct.flushall();
  proxy = await startProxy(server.port);
  proxied = await connectTo(proxy.url);
});
afterEach(async () => {
  proxied.disconnect();
  await proxy.close();
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

const connectionsBecome = (count: number) => vi.waitFor(() => expect(proxy.connections).toBe(count));

describe("a proxy", () => {
  it("passes bytes both ways, large ones too, and counts connections", async () => {
    const value = "x".repeat(3_000_000);
    await proxied.set("key", value);
    expect(await proxied.get("key")).toBe(value);
    expect(proxy.connections).toBe(1);
    await proxied.quit();
    await connectionsBecome(0);
  });

  it("keeps the rest of a URL", async () => {
    const other = await startProxy(`redis://user:secret@127.0.0.1:${server.port}/3`);
    expect(other.url).toBe(`redis://user:secret@127.0.0.1:${other.port}/3`);
    await other.close();
  });

  it("delays bytes by its latency each way", async () => {
    const slow = await startProxy(server.url, { latencyMs: 50 });
    const redis = await connectTo(slow.url);
    const start = performance.now();
    expect(await Promise.all([redis.ping(), redis.ping()])).toEqual(["PONG", "PONG"]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(98); // timers may be early by a fraction
    redis.disconnect();
    await slow.close();
  });

  it("resets the client when the server is not there", async () => {
    const nowhere = await startProxy(1);
    await expect(connectTo(nowhere.url)).rejects.toThrow();
    await nowhere.close();
  });
});

describe("a cut reply", () => {
  const isAdd = (request: Buffer) => request.includes("xadd");

  it("is lost after the server has done what was asked, once", async () => {
    const cut = proxy.cutReplyWhen(isAdd);
    await expect(proxied.xadd("stream", "*", "field", "lost reply")).rejects.toThrow();
    await cut;
    expect(await direct.xlen("stream")).toBe(1);
    await proxied.connect();
    await proxied.xadd("stream", "*", "field", "value");
    expect(await direct.xlen("stream")).toBe(2);
  });

  it("waits for the reply of a blocking read", async () => {
    await direct.xgroup("CREATE", "stream", "group", "$", "MKSTREAM");
    const cut = proxy.cutReplyWhen((request) => request.includes("xreadgroup"));
    const read = proxied.xreadgroup("GROUP", "group", "me", "COUNT", 1, "BLOCK", 0, "STREAMS", "stream", ">");
    const lost = expect(read).rejects.toThrow();
    await vi.waitFor(async () => expect(await direct.info("clients")).toContain("blocked_clients:1"));
    expect(proxy.connections).toBe(1);
    const id = await direct.xadd("stream", "*", "field", "value");
    await Promise.all([cut, lost]);
    expect(await direct.xpending("stream", "group", "-", "+", 10)).toEqual([[id, "me", expect.any(Number), 1]]);
  });

  it("leaves other requests and other connections alone", async () => {
    const other = await connectTo(proxy.url);
    const cut = proxy.cutReplyWhen(isAdd);
    expect(await other.ping()).toBe("PONG");
    await expect(proxied.xadd("stream", "*", "field", "value")).rejects.toThrow();
    await cut;
    expect(await other.ping()).toBe("PONG");
    other.disconnect();
  });
});

describe("a hold", () => {
  it("passes nothing until it is released, and then everything in order", async () => {
    proxy.hold();
    const replies = Promise.all([proxied.rpush("list", "a"), proxied.rpush("list", "b"), proxied.lrange("list", 0, -1)]);
    expect(await Promise.race([replies, direct.exists("list")])).toBe(0);
    proxy.release();
    expect(await replies).toEqual([1, 2, ["a", "b"]]);
  });

  it("loses what it held when it ends in a reset, and new connections work", async () => {
    proxy.hold();
    const lost = expect(proxied.set("key", "value")).rejects.toThrow();
    await direct.ping();
    proxy.reset();
    await lost;
    await connectionsBecome(0);
    await proxied.connect();
    expect(await proxied.exists("key")).toBe(0);
  });

  it("hides that the client has gone from the server, until it ends", async () => {
    const clients = async () => String(await direct.client("LIST")).split("\n").length;
    const before = await clients();
    proxy.hold();
    proxied.disconnect();
    expect(await clients()).toBe(before);
    proxy.release();
    await vi.waitFor(async () => expect(await clients()).toBe(before - 1));
  });
});

describe("refuse", () => {
  it("resets new connections and keeps those that are open", async () => {
    proxy.refuse(true);
    await expect(connectTo(proxy.url)).rejects.toThrow();
    expect(await proxied.ping()).toBe("PONG");
    proxy.refuse(false);
    (await connectTo(proxy.url)).disconnect();
  });
});

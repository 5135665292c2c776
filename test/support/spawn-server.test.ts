import { createServer } from "node:net";
import { once } from "node:events";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runScript } from "./fixtures/run-script.js";
import { tracesOf, type Traces } from "./fixtures/traces.js";
import { askServer } from "./redis-server/ask-server.js";
import type { SpawnedServer } from "./redis-server/spawn-server.js";
import { startServer } from "./redis-server/start-server.js";

const started: SpawnedServer[] = [];

async function start(...args: string[]): Promise<SpawnedServer> {
  const server = await startServer({ args });
  started.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function configOf({ url }: SpawnedServer, name: string): Promise<string> {
  const redis = new Redis(url);
  const value = (await redis.call("CONFIG", "GET", name)) as string[] | Record<string, string>;
  redis.disconnect();
  return Object.values(value).at(-1) ?? "";
}

describe("a spawned server", () => {
  it("keeps nothing on disk, unless later arguments say so", async () => {
    const [plain, durable] = await Promise.all([start(), start("--appendonly", "yes")]);
    expect([await configOf(plain, "appendonly"), await configOf(plain, "save")]).toEqual(["no", ""]);
    expect(await configOf(durable, "appendonly")).toBe("yes");
  });

  it("leaves no process and no folder when it is stopped, also twice, also when it was killed or paused", async () => {
    const servers = await Promise.all([start(), start(), start()]);
    const [, killed, paused] = servers;
    await killed.kill();
    paused.pause();
    await Promise.all(servers.flatMap((server) => [server.stop(), server.stop()]));
    expect(await Promise.all(servers.map(tracesOf))).toEqual([[], [], []]);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)("comes back on its port and in its folder after %s", async (signal) => {
    const server = await start();
    const before = { url: server.url, dir: server.dir, pid: server.pid };
    server.pause();
    await server.restart({ signal });
    expect(server).toMatchObject({ url: before.url, dir: before.dir });
    expect(server.pid).not.toBe(before.pid);
    expect(await askServer(server.url)).toMatchObject({ pid: server.pid });
  });

  it("finds what it wrote to disk after a crash", async () => {
    const server = await start("--appendonly", "yes", "--appendfsync", "always");
    const redis = new Redis(server.url);
    await redis.set("key", "value");
    await server.kill();
    await server.restart();
    expect(await redis.get("key")).toBe("value");
    redis.disconnect();
  });

  it("does not answer while it is paused", async () => {
    const server = await start();
    server.pause();
    await expect(askServer(server.url, 200)).rejects.toThrow("does not answer PING");
    server.resume();
    expect(await askServer(server.url)).toMatchObject({ pid: server.pid });
  });

  it("says what the server said when it does not start", async () => {
    await expect(start("--no-such-setting", "1")).rejects.toThrow(/did not start:[^]*no-such-setting/);
  });

  it("does not take another server for itself when its port is gone", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address() as { port: number };
    await expect(start("--port", String(address.port))).rejects.toThrow(/already in use|failed listening/i);
    taken.close();
  });
});

describe("the process that owns a server", () => {
  it.each([[["stay"]], [["stay", "paused"]]])("takes it along when it is killed (%s)", async (args) => {
    const owner = runScript("fixtures/own-a-server.ts", ...args);
    const server = JSON.parse(await owner.line()) as Traces;
    expect(await tracesOf(server)).toContain("folder");
    owner.process.kill("SIGKILL");
    expect(await owner.ended).toBe("SIGKILL");
    await vi.waitFor(async () => expect(await tracesOf(server)).toEqual([]), { timeout: 5_000 });
  });

  it("keeps it when the terminal's Ctrl-C goes to the whole group", async () => {
    const owner = runScript("with-redis.ts", process.execPath, "-e", keepsRedisThroughInterrupt);
    const url = await owner.line();
    process.kill(-(owner.process.pid ?? 0), "SIGINT");
    expect(await owner.line()).toBe("interrupted");
    expect(await askServer(url)).toBeDefined();
    owner.process.stdin.end();
    expect(await owner.ended).toBe(0);
  });

  it("ends by itself while the server runs, and takes it along", async () => {
    const owner = runScript("fixtures/own-a-server.ts", "leave");
    const server = JSON.parse(await owner.line()) as Traces;
    expect(await owner.ended).toBe(0);
    await vi.waitFor(async () => expect(await tracesOf(server)).toEqual([]), { timeout: 5_000 });
  });
});

const keepsRedisThroughInterrupt = `
  process.on("SIGINT", () => console.log("interrupted"));
  process.stdin.resume();
  console.log(process.env.REDIS_URL);`;

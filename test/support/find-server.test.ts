import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort } from "./redis-server/free-port.js";
import { allSources, findServer } from "./redis-server/find-server.js";
import { findProgram, startServer } from "./redis-server/start-server.js";
import { toSearch } from "./redis-server/search.js";
import type { SpawnedServer } from "./redis-server/spawn-server.js";

let folder: string;
let server: SpawnedServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "find-server-"));
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

/** A folder for `PATH` with a server program of that name. */
async function pathWith(name: string): Promise<string> {
  const { command } = await findProgram(toSearch({}));
  const file = join(folder, name, name);
  await mkdir(join(folder, name));
  await writeFile(file, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`, { mode: 0o755 });
  return join(folder, name);
}

describe("findServer", () => {
  it("takes REDIS_URL before all else, says so in one line, and does not stop what is not its own", async () => {
    const log = vi.fn();
    const found = await findServer({ env: { REDIS_URL: server.url }, log });
    await found.stop();
    const { product, version } = server.identity;
    expect(log.mock.calls).toEqual([[`redis: ${product} ${version}, at REDIS_URL ${server.url}`]]);
    expect(found).toMatchObject({ url: server.url, port: server.port });
    expect((await findServer({ env: { REDIS_URL: server.url }, log })).identity.pid).toBe(server.pid);
  });

  it("fails, without the password, when nothing answers at REDIS_URL", async () => {
    const env = { REDIS_URL: `redis://user:secret@127.0.0.1:${await freePort()}` };
    await expect(findServer({ env })).rejects.toThrow(/^redis:\/\/user:\*\*\*@127.0.0.1:\d+ does not answer PING: connect ECONNREFUSED/);
    await expect(findServer({ env: { REDIS_URL: "6379" } })).rejects.toThrow("redis://host:port");
  });

  it("fails when the image that REDIS_IMAGE names cannot be run", async () => {
    const env = { REDIS_IMAGE: "registry.invalid/redis:0" };
    await expect(findServer({ env })).rejects.toThrow("REDIS_IMAGE is set, but there is no container of registry.invalid");
  });

  it.each(["redis-server", "valkey-server"])("runs %s from PATH, and says what was not there", async (name) => {
    const log = vi.fn();
    const PATH = await pathWith(name);
    const found = await findServer({ env: { PATH }, log, sources: [allSources.url, allSources.path] });
    await found.stop();
    expect(log.mock.calls).toEqual([[expect.stringMatching(`at ${PATH}/${name} \\(REDIS_URL is not set\\)$`)]]);
  });

  it("says how to get one when there is none", async () => {
    const sources = [allSources.url, allSources.path, allSources.debian];
    await expect(findServer({ env: { PATH: folder }, sources })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [Error: No Redis to run against: REDIS_URL is not set; no redis-server or valkey-server on PATH; this is not Debian or Ubuntu.
      How to get one:
        Debian, Ubuntu   sudo apt-get install redis-server
        Fedora           sudo dnf install valkey
        Alpine           sudo apk add redis
        Arch             sudo pacman -S valkey
        macOS            brew install redis
        Windows          run this inside WSL, or set REDIS_URL
        Docker, Podman   start the engine; the container comes by itself
        elsewhere        set REDIS_URL=redis://host:port to a server whose data may be thrown away]
    `);
  });

  it("fails when the server is not of the flavor that was asked for, and when there is no such flavor", async () => {
    const flavor = server.identity.product === "Valkey" ? "redis-7" : "valkey-9";
    const env = { REDIS_URL: server.url };
    await expect(findServer({ env, flavor })).rejects.toThrow(`Expected a server of flavor ${flavor}, got `);
    await expect(findServer({ env: { ...env, REDIS_FLAVOR: "redis" } })).rejects.toThrow(RangeError);
  });
});

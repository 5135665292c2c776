import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askServer, type Identity } from "./ask-server.js";
import { freePort } from "./free-port.js";
import { keepAlive } from "./keep-alive.js";
import { once } from "./once.js";
import type { Program } from "./program.js";
import { describe, type RedisServer } from "./redis-server.js";
import { volatile } from "./volatile.js";
import { watch, type Run, type Watcher } from "./watcher.js";

const startTimeoutMs = 10_000;
const maxPorts = 5;

/** A server that is a process of ours, so that its faults can be had on purpose. */
export interface SpawnedServer extends RedisServer {
  /** Of the running process, or of the last one. */
  readonly pid: number;
  /** The folder it runs in. */
  readonly dir: string;
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and in the same folder; a process that still runs is ended by `signal` first. */
  restart(options?: { readonly signal?: "SIGKILL" | "SIGTERM" }): Promise<void>;
  /** Stops it from answering while its connections stay open. */
  pause(): void;
  resume(): void;
}

/** Says that another process took the port between our finding it free and the server's binding it. */
class PortTaken extends Error {}

/**
 * Starts a server on a free loopback port, in a folder of its own, and waits until it answers. It goes when this
 * process goes, and does not keep this process from going.
 *
 * @param program - what to run
 * @param args - further arguments; they win over `--save "" --appendonly no`
 */
export async function spawnServer(program: Program, args: readonly string[] = []): Promise<SpawnedServer> {
  for (let ports = 1; ; ports++) {
    try {
      return await spawnAt(await freePort(), program, args);
    } catch (error) {
      if (!(error instanceof PortTaken) || ports === maxPorts) throw error;
    }
  }
}

async function spawnAt(port: number, { command, origin }: Program, args: readonly string[]): Promise<SpawnedServer> {
  const url = `redis://127.0.0.1:${port}`;
  const place = ["--bind", "127.0.0.1", "--port", String(port)];
  const watcher = await watch([...command, ...place, ...volatile, ...args]);
  let run = await watcher.run();
  const halt = (signal: NodeJS.Signals) => {
    run.signal("SIGCONT"); // a paused process would not notice a SIGTERM
    run.signal(signal);
    return keepAlive(run.ended);
  };
  const stop = once(() => halt("SIGKILL").then(() => watcher.end()));
  const identity = await untilReady(url, run, watcher).catch((error: unknown) => stop().then(() => Promise.reject(error)));
  return {
    url,
    port,
    identity,
    description: describe(identity, origin),
    dir: watcher.dir,
    get pid() {
      return run.pid;
    },
    kill: () => halt("SIGKILL"),
    async restart({ signal = "SIGTERM" } = {}) {
      await halt(signal);
      run = await watcher.run();
      await untilReady(url, run, watcher);
    },
    pause: () => run.signal("SIGSTOP"),
    resume: () => run.signal("SIGCONT"),
    stop,
  };
}

async function untilReady(url: string, run: Run, { dir }: Watcher): Promise<Identity> {
  const deadline = Date.now() + startTimeoutMs;
  while (run.running && Date.now() < deadline) {
    const identity = await askServer(url, 1_000).catch(() => undefined);
    if (identity?.pid === run.pid) return identity; // else another server has the port, and this one will say so
    await delay(10);
  }
  const log = await readFile(join(dir, "server.log"), "utf8");
  const message = `The server at ${url} did not start:\n${log.trim().split("\n").slice(-5).join("\n")}`;
  throw /already in use|failed listening/i.test(log) ? new PortTaken(message) : new Error(message);
}

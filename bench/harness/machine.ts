import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import type { Identity } from "../../test/support/redis-server/ask-server.js";
import { versions } from "./peers.js";

/** Where and with what a run was made; no names of hosts or folders. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  readonly server: string;
  readonly packages: Readonly<Record<string, string>>;
}

export function describeMachine({ product, version }: Identity): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}, ${process.arch}`,
    node: process.version,
    server: `${product} ${version}`,
    packages: versions(),
  };
}

/** What else the machine did: processes that wanted a core, on average over the last minute. */
export function loadAverage(): number {
  return loadavg()[0]!;
}

/** What is measured; says so when it is not what was committed. */
export function commit(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "src", "bench") !== "";
    return git("rev-parse", "--short=10", "HEAD") + (changed ? " with changes" : "");
  } catch {
    return "unknown";
  }
}

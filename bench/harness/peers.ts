import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL("..", import.meta.url));
const root = join(bench, "..");

/**
 * Installs what the benchmarks compare with, as `bench/package-lock.json` says, when it is not here yet. Not by `npm ci`: that refuses the lock,
 * because builds of an optional package for other platforms could not be seen where it was made.
 */
export function installPeers(log: (line: string) => void): void {
  if (["redis", "bullmq", "iovalkey"].every(isInstalled)) return;
  log("bench: installing the peers (npm install in bench/)");
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund"], { cwd: bench, stdio: ["ignore", "ignore", "inherit"] });
}

export function isInstalled(name: string): boolean {
  return existsSync(join(bench, "node_modules", name, "package.json"));
}

/** The versions that a run uses; those of the root where the benchmarks have none of their own. */
export function versions(): Readonly<Record<string, string>> {
  const names = ["ioredis", "ioredis5", "iovalkey", "redis", "bullmq", "rxjs", "zod"];
  const found = names.flatMap((name) => {
    const file = [bench, root].map((folder) => join(folder, "node_modules", name, "package.json")).find((path) => existsSync(path));
    return file ? [[name, (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version] as const] : [];
  });
  return Object.fromEntries(found);
}

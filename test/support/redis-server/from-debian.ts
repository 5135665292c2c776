import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { unpackPackage } from "./debian-package.js";
import { Unavailable } from "./first-available.js";
import { anyFlavor, flavors } from "./flavor.js";
import { messageOf } from "./message-of.js";
import type { Program } from "./program.js";
import type { Search } from "./search.js";
import { unpackOnce } from "./unpack-once.js";
import { unpackedCommand } from "./unpacked-command.js";
import { which } from "./which.js";

/**
 * The server of a Debian or Ubuntu package, unpacked once into the user's cache; needs no root and installs nothing.
 */
export async function fromDebian({ env, flavor }: Search): Promise<Program> {
  const tools = await Promise.all(["apt-get", "dpkg-deb"].map((tool) => which(tool, env)));
  if (tools.includes(undefined)) throw new Unavailable("this is not Debian or Ubuntu");
  const { debian } = flavor ? flavors[flavor] : anyFlavor;
  const root = join(cacheFolder(env), `${flavor ?? (await systemName())}-${process.arch}`);
  try {
    await unpackOnce(root, (folder) => unpackPackage(debian, folder, env));
    return { command: await unpackedCommand(root, debian.name), origin: `unpacked from packages to ${root}` };
  } catch (error) {
    throw new Unavailable(`${debian.name} could not be unpacked: ${messageOf(error)}`, { cause: error });
  }
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "rxjs-redis-streams");
}

/** Names the release, so that a home folder shared between machines or kept over an upgrade is not mixed up. */
async function systemName(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)`, "m").exec(release)?.[1];
  return `${field("ID") ?? "debian"}-${field("VERSION_CODENAME") ?? "any"}`;
}

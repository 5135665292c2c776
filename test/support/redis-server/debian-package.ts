import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DebianPackage } from "./flavor.js";

const run = promisify(execFile);
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Runs apt-get and gives back what it printed. */
type Apt = (...args: string[]) => Promise<string>;

/**
 * Downloads a package with everything it needs, down to libc, and unpacks it all into `root`.
 *
 * @param wanted - the package and its suites
 * @param root - a folder that exists
 * @param env - the environment of apt-get and dpkg-deb
 */
export async function unpackPackage(wanted: DebianPackage, root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), "rxjs-redis-streams-apt-"));
  try {
    for (const archive of await download(wanted, state, env)) await run("dpkg-deb", ["-x", archive, root], { env });
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function download({ name, suites }: DebianPackage, state: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const archives = join(state, "cache/archives");
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await mkdir(join(archives, "partial"), { recursive: true });
  await writeFile(join(state, "status"), ""); // nothing is installed, so libc comes too
  let apt = privateApt(state, env);
  await apt("update").catch(() => {}); // a source of somebody else's may be broken; if it is ours, install will say so
  if (suites) {
    apt = await aptOf(suites, apt, state, env);
    await apt("update");
  }
  const target = suites ? ["--target-release", suites[0]] : [];
  await apt("install", "--download-only", "--yes", ...target, name);
  const names = await readdir(archives);
  return names.filter((file) => file.endsWith(".deb")).map((file) => join(archives, file));
}

/** An apt-get that reads the machine's sources and keys, and writes nowhere but below `state`: so it needs no root. */
function privateApt(state: string, env: NodeJS.ProcessEnv, ...more: string[]): Apt {
  const settings = [
    `Dir::State=${state}`,
    `Dir::State::lists=${join(state, "lists")}`,
    `Dir::State::status=${join(state, "status")}`,
    `Dir::Cache=${join(state, "cache")}`,
    "Dir::Etc::preferences=/dev/null",
    "Dir::Etc::preferencesparts=/dev/null",
    "APT::Install-Recommends=false",
    "APT::Sandbox::User=root", // root's downloads would go to a user who may not write here
    "Acquire::Languages=none",
    ...more,
  ].flatMap((setting) => ["-o", setting]);
  return async (...args) => {
    const options = { env, maxBuffer: 2 ** 26 };
    const { stdout } = await run("apt-get", ["-qq", ...settings, ...args], options).catch(sayWhy);
    return stdout;
  };
}

/** Keeps of a failed apt-get what it says went wrong; the message of Node is the command line. */
function sayWhy(error: Error & { readonly stderr?: string }): never {
  const said = /^E: (.*)$/m.exec(error.stderr ?? "")?.[1];
  throw said ? new Error(said, { cause: error }) : error;
}

/** An apt-get that knows other suites than the machine does, on the mirror that the machine uses. */
async function aptOf(suites: readonly string[], apt: Apt, state: string, env: NodeJS.ProcessEnv): Promise<Apt> {
  const [mirror] = (await apt("indextargets", "--format", "$(REPO_URI)", "Label: Debian")).split("\n");
  if (!mirror) throw new Error("no Debian mirror is configured on this machine");
  const sources = join(state, "sources.list");
  await writeFile(sources, suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(""));
  return privateApt(state, env, `Dir::Etc::sourcelist=${sources}`, "Dir::Etc::sourceparts=/dev/null");
}

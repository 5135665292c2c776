import { Unavailable } from "./first-available.js";
import type { Program } from "./program.js";
import type { Search } from "./search.js";
import { which } from "./which.js";

/** The server program that is installed here; of no use to a search for one flavor, which it may not be. */
export async function fromPath({ env, flavor }: Search): Promise<Program> {
  if (flavor) throw new Unavailable(`PATH is not searched for ${flavor}`);
  for (const name of ["redis-server", "valkey-server"]) {
    const file = await which(name, env);
    if (file) return { command: [file], origin: `at ${file}` };
  }
  throw new Unavailable("no redis-server or valkey-server on PATH");
}

import { firstAvailable } from "./first-available.js";
import { fromDebian } from "./from-debian.js";
import { fromPath } from "./from-path.js";
import { nothingFound } from "./install-hint.js";
import type { Program } from "./program.js";
import { toSearch, type Search, type SearchOptions } from "./search.js";
import { spawnServer, type SpawnedServer } from "./spawn-server.js";

/**
 * A server of one's own, as a process that a test may kill, pause and restart; neither `REDIS_URL` nor a container
 * would do.
 *
 * @throws Error that says how to get one when no program is here
 */
export async function startServer(options: SearchOptions = {}): Promise<SpawnedServer> {
  const search = toSearch(options);
  return spawnServer(await findProgram(search), search.args);
}

/** The server program that {@link startServer} runs. */
export async function findProgram(search: Search): Promise<Program> {
  const ways = [fromPath, fromDebian].map((find) => () => find(search));
  return (await firstAvailable(ways, nothingFound)).found;
}

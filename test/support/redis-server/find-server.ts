import { firstAvailable } from "./first-available.js";
import { fromContainer } from "./from-container.js";
import { fromDebian } from "./from-debian.js";
import { fromPath } from "./from-path.js";
import { fromUrl } from "./from-url.js";
import { nothingFound } from "./install-hint.js";
import type { Program } from "./program.js";
import type { RedisServer } from "./redis-server.js";
import { toSearch, type Search, type SearchOptions } from "./search.js";
import { spawnServer } from "./spawn-server.js";

/** One way to a server; throws `Unavailable` when it is closed. */
export type Source = (search: Search) => Promise<RedisServer>;

const spawned =
  (find: (search: Search) => Promise<Program>): Source =>
  async (search) =>
    spawnServer(await find(search), search.args);

/** Every way to a server, in the order they are tried. */
export const allSources = {
  url: fromUrl,
  container: fromContainer,
  path: spawned(fromPath),
  debian: spawned(fromDebian),
} as const satisfies Record<string, Source>;

export interface FindServerOptions extends SearchOptions {
  /** Takes the one line that says which server is used, and why none before it. @defaultValue `console.log` */
  readonly log?: ((line: string) => void) | undefined;
  /** The ways that are tried, in this order. @defaultValue {@link allSources} */
  readonly sources?: readonly Source[] | undefined;
}

/**
 * A server for whoever has none: `REDIS_URL`, else a container, else the program on `PATH`, else Debian's package
 * unpacked into the user's cache.
 *
 * @throws Error that says how to get a server when there is none, or what is wrong with the one that was asked for
 */
export async function findServer(options: FindServerOptions = {}): Promise<RedisServer> {
  const { log = console.log, sources = Object.values(allSources) } = options;
  const search = toSearch(options);
  const ways = sources.map((source) => () => source(search));
  const { found: server, because } = await firstAvailable(ways, nothingFound);
  await refuseOther(server, search);
  log(`redis: ${server.description}${because.length > 0 ? ` (${because.join("; ")})` : ""}`);
  return server;
}

/** A matrix that silently tests another version than it says would be worse than none. */
async function refuseOther(server: RedisServer, { flavor }: Search): Promise<void> {
  const { product, version } = server.identity;
  const actual = `${product.toLowerCase()}-${version.split(".", 1)[0]}`;
  if (!flavor || flavor === actual) return;
  await server.stop();
  throw new Error(`Expected a server of flavor ${flavor}, got ${server.description}`);
}

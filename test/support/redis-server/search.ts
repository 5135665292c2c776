import { toFlavor, type Flavor } from "./flavor.js";

/** What may be asked of a server, and the environment it is looked for in. */
export interface SearchOptions {
  /** The product and major version wanted. @defaultValue `REDIS_FLAVOR`, else any */
  readonly flavor?: Flavor | undefined;
  /** Further arguments of the server; later ones win. They do not reach a server at `REDIS_URL`. */
  readonly args?: readonly string[] | undefined;
  /** Names the servers (`REDIS_URL`, `REDIS_IMAGE`, `PATH`) and the cache. @defaultValue `process.env` */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** {@link SearchOptions} with every default filled in. */
export interface Search {
  readonly flavor: Flavor | undefined;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export function toSearch({ flavor, args = [], env = process.env }: SearchOptions): Search {
  return { flavor: flavor ?? toFlavor(env["REDIS_FLAVOR"]), args, env };
}

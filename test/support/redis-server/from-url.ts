import { askServer, withoutPassword } from "./ask-server.js";
import { Unavailable } from "./first-available.js";
import { describe, type RedisServer } from "./redis-server.js";
import type { Search } from "./search.js";

/**
 * The server at `REDIS_URL`.
 *
 * @throws Error when the variable is set and nothing answers there: whoever sets it means that server and no other
 */
export async function fromUrl({ env }: Search): Promise<RedisServer> {
  const url = env["REDIS_URL"];
  if (!url) throw new Unavailable("REDIS_URL is not set");
  if (!URL.canParse(url)) throw new Error("Expected REDIS_URL to be like redis://host:port");
  const identity = await askServer(url);
  return {
    url,
    port: Number(new URL(url).port || 6379),
    identity,
    description: describe(identity, `at REDIS_URL ${withoutPassword(url)}`),
    stop: async () => {},
  };
}

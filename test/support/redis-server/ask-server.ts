import { Redis } from "ioredis";
import { messageOf } from "./message-of.js";

/** Who answers at a URL. */
export interface Identity {
  readonly product: string;
  readonly version: string;
  /** Process id in the server's own namespace. */
  readonly pid: number;
}

/**
 * Asks the server at `url` who it is.
 *
 * @throws Error, without the password, when nothing answers PING within `timeoutMs`
 */
export async function askServer(url: string, timeoutMs = 5_000): Promise<Identity> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: 0, // by default a client holds the event loop for two seconds after a connection is lost
    retryStrategy: () => null,
  });
  let cause: unknown; // the event says "connection refused" where the rejection only says "closed"
  redis.on("error", (error) => (cause = error));
  try {
    await redis.connect();
    await redis.ping();
    return toIdentity(await redis.info("server"));
  } catch (error) {
    throw new Error(`${withoutPassword(url)} does not answer PING: ${messageOf(cause ?? error)}`, { cause: error });
  } finally {
    redis.disconnect();
  }
}

/** Valkey reports a `redis_version` too, that of the Redis it is compatible with, so its own name is read first. */
function toIdentity(info: string): Identity {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const product = field("server_name") === "valkey" ? "Valkey" : "Redis";
  const version = field(`${product.toLowerCase()}_version`) ?? "of unknown version";
  return { product, version, pid: Number(field("process_id")) };
}

export function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password) shown.password = "***";
  return shown.href;
}

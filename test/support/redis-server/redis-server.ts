import type { Identity } from "./ask-server.js";

/** A server that answers, and the way to be done with it. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly identity: Identity;
  /** Which one it is, its version, and where it comes from; one line. */
  readonly description: string;
  /** Leaves nothing behind; a server at `REDIS_URL` is not ours and goes on. May be called again. */
  stop(): Promise<void>;
}

export function describe({ product, version }: Identity, origin: string): string {
  return `${product} ${version}, ${origin}`;
}

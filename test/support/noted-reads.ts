import type { RedisClient, RedisConnection } from "../../src/redis/client.js";

/** What stands behind a reader: who decoded its replies. */
export interface NotedReads {
  /** To be passed instead of the client. */
  readonly client: RedisClient;
  /** Replies to reads that ioredis decoded, and those that it never saw, or that were null. */
  readonly decoded: { readonly byIoredis: number; readonly elsewhere: number };
}

/** Looks at what ioredis answers to the reads of connections that are duplicated from a client. */
export function noteReads(redis: unknown): NotedReads {
  const original = redis as RedisClient;
  const decoded = { byIoredis: 0, elsewhere: 0 };
  const duplicate = (...overrides: never[]): RedisConnection => {
    const connection = original.duplicate(...overrides);
    const call = connection.callBuffer.bind(connection);
    connection.callBuffer = async (command, ...args) => {
      const reply = await call(command, ...args);
      if (command.startsWith("xread")) decoded[reply === null ? "elsewhere" : "byIoredis"] += 1;
      return reply;
    };
    return connection;
  };
  const client = { options: original.options, isCluster: (redis as { isCluster?: boolean }).isCluster, duplicate };
  return { client, decoded };
}

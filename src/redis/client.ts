/**
 * What this library needs of the client you pass: a `Redis` or a `Cluster` of ioredis 5 or 6. Described by structure, because
 * two versions or copies of ioredis have classes that are not assignable to each other.
 *
 * The client itself is never sent a command: every connection is a `duplicate()` of it with options of its own, so that
 * nothing you set on yours (timeouts, auto-pipelining, reply mapping) and nothing you do on it is in the way.
 * @public
 */
export interface RedisClient {
  readonly options: object;
  duplicate(...overrides: never[]): RedisConnection;
}

/** A connection made by {@link RedisClient.duplicate}. @public */
export interface RedisConnection {
  call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
  /** The same, answered in Buffers instead of text. */
  callBuffer(command: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
  on(event: "error" | "close" | "end", listener: (error: Error) => void): unknown;
  disconnect(reconnect?: boolean): void;
}

import type { RedisClient, RedisConnection } from "../../src/redis/client.js";

type Reply = (command: string, ...args: (string | number | Buffer)[]) => unknown;

/** A connection as `duplicate()` of ioredis makes it: answers what the test says, and writes down what was sent. */
export class FakeConnection implements RedisConnection {
  readonly calls: (string | number | Buffer)[][] = [];
  /** Those of them that asked for Buffers. */
  readonly bufferCalls: (string | number | Buffer)[][] = [];
  disconnects = 0;
  readonly #listeners = new Map<string, ((error: Error) => void)[]>();
  readonly #reply: Reply;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  call(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    this.calls.push([command, ...args]);
    return new Promise((resolve) => resolve(this.#reply(command, ...args)));
  }

  callBuffer(command: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    this.bufferCalls.push([command, ...args]);
    return this.call(command, ...args);
  }

  on(event: "error" | "close" | "end", listener: (error: Error) => void): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  emit(event: "error" | "close" | "end", error = new Error("none")): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(error);
  }

  listens(event: "error" | "close" | "end"): boolean {
    return this.#listeners.has(event);
  }

  disconnect(): void {
    this.disconnects += 1;
  }
}

/** A user's client: never sent a command itself. */
export class FakeClient implements RedisClient {
  readonly options: object;
  readonly isCluster: boolean;
  readonly duplicates: { readonly args: readonly unknown[]; readonly connection: FakeConnection }[] = [];
  readonly #reply: Reply;

  constructor(
    options: object = {},
    { isCluster = false, reply = () => null }: { readonly isCluster?: boolean; readonly reply?: Reply } = {},
  ) {
    this.options = options;
    this.isCluster = isCluster;
    this.#reply = reply;
  }

  duplicate(...args: unknown[]): FakeConnection {
    const connection = new FakeConnection(this.#reply);
    this.duplicates.push({ args, connection });
    return connection;
  }

  get latest(): FakeConnection {
    return this.duplicates.at(-1)!.connection;
  }
}

import type { RedisConnection } from "./client.js";
import { decodeRead } from "./decode-reply.js";
import type { ReadRequest, StreamPage, StreamReader } from "./port.js";

/** How long a server may take to close its side; after that the entries it may still hand out are left to the lease. */
const closeWithinMs = 500;

/** One blocked read at a time, on a connection that is thrown away when it breaks. @internal */
export class IoredisReader implements StreamReader {
  readonly #connection: RedisConnection;
  readonly #toKey: (stream: string) => string;
  readonly #ended: Promise<void>;
  /** Why the connection could not be made or broke: the rejected read itself only says "Connection is closed." */
  #trouble: Error | undefined;

  constructor(connect: () => RedisConnection, toKey: (stream: string) => string) {
    this.#connection = connect();
    this.#toKey = toKey;
    this.#connection.on("error", (error) => (this.#trouble = error));
    this.#ended = new Promise((resolve) => this.#connection.on("end", () => resolve()));
  }

  async read({ group, consumer, streams, count, blockMs }: ReadRequest): Promise<readonly StreamPage[]> {
    const block = blockMs === undefined ? [] : ["block", blockMs];
    const keys = streams.map(this.#toKey);
    const ids = keys.map(() => ">");
    try {
      const reply = await this.#connection.call(
        "xreadgroup",
        "group",
        group,
        consumer,
        "count",
        count,
        ...block,
        "streams",
        ...keys,
        ...ids,
      );
      return decodeRead(reply, (key) => streams[keys.indexOf(key)] ?? key);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async close(): Promise<void> {
    this.#connection.disconnect();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeWithinMs)));
    await Promise.race([this.#ended, patience]);
    clearTimeout(timer);
  }

  #explain(error: unknown): unknown {
    const closed = error instanceof Error && /Connection is closed|ClusterAllFailed|Failed to refresh/.test(error.message);
    return closed && this.#trouble !== undefined ? this.#trouble : error;
  }
}

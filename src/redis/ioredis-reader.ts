import type { Payload } from "../model/payload.js";
import { bare } from "./classify-error.js";
import type { RedisConnection } from "./client.js";
import { countWhenClaiming } from "../model/read-plan.js";
import { decodeRead } from "./decode-reply.js";
import type { RawEntry, ReadRequest, StreamPage, StreamReader, TailRequest } from "./port.js";

/** How long a server may take to close its side; after that the entries it may still hand out are left to the lease. */
const closeWithinMs = 500;

/** One blocked read at a time, on a connection that is thrown away when it breaks. @internal */
export class IoredisReader implements StreamReader {
  readonly #connection: RedisConnection;
  readonly #toKey: (stream: string) => string;
  readonly #call: "call" | "callBuffer";
  readonly #ended: Promise<void>;
  #claims: "untried" | "yes" | "no" = "untried";
  /** Why the connection could not be made or broke: the rejected read itself only says "Connection is closed." */
  #trouble: unknown;

  constructor(connect: () => RedisConnection, toKey: (stream: string) => string, payload: Payload = "string") {
    this.#connection = connect();
    this.#toKey = toKey;
    this.#call = payload === "buffer" ? "callBuffer" : "call";
    this.#connection.on("error", (error) => (this.#trouble = bare(error)));
    this.#ended = new Promise((resolve) => this.#connection.on("end", () => resolve()));
  }

  get claims(): boolean {
    return this.#claims === "yes";
  }

  async read(request: ReadRequest): Promise<readonly StreamPage[]> {
    const claim = this.#claims === "no" ? undefined : request.claimIdleMs;
    try {
      const pages = await this.#read(request, claim);
      if (claim !== undefined) this.#claims = "yes";
      return pages;
    } catch (error) {
      if (claim === undefined || !isSyntaxError(error)) throw this.#explain(error);
      this.#claims = "no"; // an option can't be asked for beforehand, only tried
      return this.read(request);
    }
  }

  async #read({ group, consumer, streams, count, blockMs }: ReadRequest, claim: number | undefined): Promise<readonly StreamPage[]> {
    const block = blockMs === undefined ? [] : ["block", blockMs];
    const claims = claim === undefined ? [] : ["claim", claim];
    const keys = streams.map(this.#toKey);
    const ids = keys.map(() => ">");
    const most = claim === undefined ? count : Math.min(count, countWhenClaiming(streams.length)); // the first one is a trial
    const options = [...block, ...claims, "streams", ...keys, ...ids];
    const reply = await this.#connection[this.#call]("xreadgroup", "group", group, consumer, "count", most, ...options);
    return decodeRead(reply, namesOf(streams, keys), claim !== undefined);
  }

  async tail({ stream, after, count, blockMs }: TailRequest): Promise<readonly RawEntry[]> {
    try {
      const reply = await this.#connection[this.#call]("xread", "count", count, "block", blockMs, "streams", this.#toKey(stream), after);
      return decodeRead(reply, () => stream)[0]?.entries ?? [];
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
    return closed && this.#trouble !== undefined ? this.#trouble : bare(error);
  }
}

const isSyntaxError = (error: unknown): boolean => error instanceof Error && /syntax error/i.test(error.message);

/** Few names are looked through faster than a map is made. */
function namesOf(names: readonly string[], keys: readonly string[]): (key: string) => string {
  if (keys.length < 16) return (key) => names[keys.indexOf(key)] ?? key;
  const byKey = new Map(keys.map((key, index) => [key, names[index]!]));
  return (key) => byKey.get(key) ?? key;
}

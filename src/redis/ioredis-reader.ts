import { countWhenClaiming } from "../model/read-plan.js";
import { bare } from "./classify-error.js";
import type { RedisConnection } from "./client.js";
import { decodeRead } from "./decode-reply.js";
import { FastReads } from "./fast/fast-reads.js";
import type { ReadForm } from "./fast/read-reply.js";
import { FieldNames } from "./field-names.js";
import { forgetReply } from "./forget-reply.js";
import type { RawEntry, ReaderOptions, ReadRequest, StreamPage, StreamReader, TailRequest } from "./port.js";

/** How long a server may take to close its side; after that the entries it may still hand out are left to the lease. */
const closeWithinMs = 500;

type Argument = string | number | Buffer;

/** Blocked reads, on a connection that is thrown away when it breaks. @internal */
export class IoredisReader implements StreamReader {
  readonly #connection: RedisConnection;
  readonly #toKey: (stream: string) => string;
  readonly #options: ReaderOptions;
  readonly #fast: FastReads | undefined;
  readonly #names = new FieldNames();
  readonly #ended: Promise<void>;
  #claims: "untried" | "yes" | "no" = "untried";
  /** Why the connection could not be made or broke: the rejected read itself only says "Connection is closed." */
  #trouble: unknown;

  constructor(connect: () => RedisConnection, toKey: (stream: string) => string, options: ReaderOptions = {}) {
    this.#connection = connect();
    this.#toKey = toKey;
    this.#options = options;
    this.#fast = options.reader === "portable" ? undefined : new FastReads(this.#connection, options.fellBack ?? (() => undefined));
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

  #read({ group, consumer, streams, count, blockMs }: ReadRequest, claim: number | undefined): Promise<readonly StreamPage[]> {
    const block = blockMs === undefined ? [] : ["block", blockMs];
    const claims = claim === undefined ? [] : ["claim", claim];
    const keys = streams.map(this.#toKey);
    const ids = keys.map(() => ">");
    const most = claim === undefined ? count : Math.min(count, countWhenClaiming(streams.length)); // the first one is a trial
    const form = this.#form(namesOf(streams, keys), claim !== undefined);
    return this.#send(["xreadgroup", "group", group, consumer], most, [...block, ...claims, "streams", ...keys, ...ids], form);
  }

  async tail({ stream, after, count, blockMs }: TailRequest): Promise<readonly RawEntry[]> {
    try {
      const form = this.#form(() => stream, false);
      const pages = await this.#send(["xread"], count, ["block", blockMs, "streams", this.#toKey(stream), after], form);
      return pages[0]?.entries ?? [];
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #form(toName: (key: string) => string, claims: boolean): ReadForm {
    return { toName, claims, payload: this.#options.payload ?? "string" };
  }

  /** @param count - how many entries at most, which goes between the two parts of the command */
  async #send(
    [command, ...before]: readonly [string, ...Argument[]],
    count: number,
    after: readonly Argument[],
    form: ReadForm,
  ): Promise<readonly StreamPage[]> {
    this.#insist();
    const fast = this.#fast?.expect(count, form);
    try {
      const reply = await this.#connection.callBuffer(command, ...before, "count", fast?.count ?? count, ...after);
      return fast?.pages ?? this.#decode(reply, form);
    } finally {
      if (fast !== undefined) this.#fast?.forget(fast);
    }
  }

  #decode(reply: unknown, { toName, claims, payload }: ReadForm): readonly StreamPage[] {
    const pages = decodeRead(reply, toName, claims, payload === "string" ? this.#names : undefined);
    forgetReply(reply);
    return pages;
  }

  #insist(): void {
    const refusal = this.#options.reader === "fast" ? this.#fast?.refusal : undefined;
    if (refusal !== undefined) throw new TypeError(`\`reader: "fast"\` can't be had, because ${refusal}: use "auto"`);
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

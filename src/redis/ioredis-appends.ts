import type { Observable } from "rxjs";
import type { Word } from "../model/append-fields.js";
import type { EntryId } from "../model/entry-id.js";
import { addedKey } from "../model/keys.js";
import { retentionWords } from "../model/retention.js";
import { classifyError } from "./classify-error.js";
import { crc16 } from "./cluster-slot.js";
import type { CommandConnection } from "./command-connection.js";
import { decodeCount, decodeIds } from "./decode-reply.js";
import { commandHead } from "./fast/encode.js";
import { Transactions, type Step } from "./fast/transactions.js";
import type { AppendRequest, NewEntry, Outage, StreamAppends } from "./port.js";
import { loadAppendScripts, type AppendScripts } from "./script.js";

/** Redis remembers so many keys per producer at most, and forgets the oldest beyond. */
const keysPerProducer = 10_000;
/** So keys are spread over many producers: one that forgot would add an entry twice. */
const producers = 4_096;
/** The longest that Redis remembers, s. */
const longestSeconds = 86_400;

/**
 * The commands of producers, on a connection of their own. Transactions where they can be had, a script where not: both stop at the first
 * entry that can't be added, and what refuses one entry of a write for a reason of its own refuses all that come after it.
 * @internal
 */
export class IoredisAppends implements StreamAppends {
  readonly broken: Observable<Outage>;
  readonly #connection: CommandConnection;
  readonly #scripts: AppendScripts = loadAppendScripts();
  readonly #transactions: Transactions;
  /** Whether a stream remembers keys itself, as far as is known on this connection. */
  readonly #remembers = new Map<string, boolean>();

  constructor(connection: CommandConnection) {
    this.#connection = connection;
    this.#transactions = connection.use((raw) => new Transactions(raw));
    this.broken = connection.broken;
    // eslint-disable-next-line rxjs-x/no-ignored-error -- it never errors
    this.broken.subscribe(() => this.#remembers.clear()); // another server may answer now
  }

  async append(stream: string, request: AppendRequest): Promise<readonly EntryId[]> {
    const key = this.#connection.toKey(stream);
    const isKeyed = request.entries.some((entry) => entry.key !== undefined);
    const byStream = isKeyed && (await this.#remembersFor(key, request));
    const markers = isKeyed && !byStream ? request.entries.map((entry) => addedKey(key, entry.key ?? "")) : [];
    const options = optionsOf(request);
    if (markers.length === 0) {
      const ids = await this.#connection.answer(() => this.#transactions.run(key, stepsOf(key, options, request.entries, byStream)));
      if (ids !== undefined) return ids;
    }
    const args: (string | number | Buffer)[] = [request.rememberMs];
    for (const entry of request.entries) addWords(args, [...options, ...(byStream ? identity(entry) : []), "*"], entry.pairs);
    return decodeIds(await this.#connection.run(this.#scripts.append, [key, ...markers], args));
  }

  async #remembersFor(key: string, { rememberMs, onMissingStream }: AppendRequest): Promise<boolean> {
    const seconds = Math.ceil(rememberMs / 1_000);
    if (seconds > longestSeconds) return false;
    const known = this.#remembers.get(key);
    if (known !== undefined) return known;
    const can = await this.#prepare(key, [seconds, keysPerProducer, onMissingStream === "create" ? "create" : "leave"]);
    this.#remembers.set(key, can);
    return can;
  }

  /** Where an ACL forbids to look or to set it up, markers do. */
  async #prepare(key: string, args: readonly (string | number)[]): Promise<boolean> {
    try {
      return decodeCount("prepare-idmp.lua", await this.#connection.run(this.#scripts.prepareIdmp, [key], args)) === 1;
    } catch (error) {
      const verdict = classifyError(error, { stream: key, group: "" });
      if (verdict._tag === "fatal" && verdict.error.name === "AccessError") return false;
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }
}

const optionsOf = ({ retention, onMissingStream }: AppendRequest): readonly (string | number)[] => [
  ...(onMissingStream === "fail" ? ["nomkstream"] : []),
  ...(retention === undefined ? [] : retentionWords(retention)),
];

function stepsOf(key: string, options: readonly (string | number)[], entries: readonly NewEntry[], byStream: boolean): readonly Step[] {
  if (byStream) {
    const head = commandHead("XADD", key, ...options);
    return entries.map((entry) => ({ head, words: [...identity(entry), "*", ...entry.pairs] }));
  }
  const head = commandHead("XADD", key, ...options, "*");
  return entries.map(({ pairs }) => ({ head, words: pairs }));
}

const identity = ({ key = "" }: NewEntry): readonly string[] => ["idmp", `p${crc16(Buffer.from(key)) % producers}`, key];

function addWords(args: (string | number | Buffer)[], options: readonly (string | number)[], pairs: readonly Word[]): void {
  args.push(options.length + pairs.length, ...options);
  for (const word of pairs) args.push(word);
}

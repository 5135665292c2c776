import { Subject, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import { deadLetterKey, retryKey } from "../model/keys.js";
import type { RedisConnection } from "./client.js";
import { decodeCount, decodeDue, decodeIdle, decodeIds, decodeList, decodeRange, decodeRecord } from "./decode-reply.js";
import type {
  ConsumerRef,
  DuePage,
  GroupRef,
  IdlePage,
  IdleRequest,
  LeaveOptions,
  RawEntry,
  SettleOutcome,
  SettleRequest,
  StreamCommands,
} from "./port.js";
import { loadScripts, runScript, type Call, type Script, type Scripts } from "./script.js";
import { SettleChunks } from "./settle-chunks.js";

/** Ids per script call: far below the 8 000 values that Lua's `unpack` takes, and about a millisecond of the server. */
const idsPerCall = 500;
/** How long `close` waits for answers to what was sent. */
const closeWithinMs = 2_000;

/** The commands of the port, on a connection of their own. @internal */
export class IoredisCommands implements StreamCommands {
  readonly #connection: RedisConnection;
  readonly #toKey: (stream: string) => string;
  readonly broken: Observable<void>;
  readonly #scripts: Scripts = loadScripts();
  #unanswered = 0;
  #closing: NodeJS.Timeout | undefined;
  #trouble: Error | undefined;

  constructor(connection: RedisConnection, toKey: (stream: string) => string) {
    this.#connection = connection;
    this.#toKey = toKey;
    const broken = new Subject<void>();
    this.broken = broken.asObservable();
    connection.on("close", () => broken.next());
    connection.on("error", (error) => (this.#trouble = error)); // without a listener ioredis prints
  }

  async createGroup({ stream, group }: GroupRef, startId: string): Promise<boolean> {
    try {
      await this.#call("xgroup", "create", this.#toKey(stream), group, startId, "mkstream");
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("BUSYGROUP")) return false;
      throw error;
    }
  }

  async lastGeneratedId(stream: string): Promise<EntryId | undefined> {
    try {
      const info = decodeRecord("XINFO STREAM", await this.#call("xinfo", "stream", this.#toKey(stream)));
      return info.get("last-generated-id") as EntryId;
    } catch (error) {
      if (error instanceof Error && error.message.includes("no such key")) return undefined;
      throw error;
    }
  }

  async ack({ stream, group }: GroupRef, ids: readonly EntryId[]): Promise<number> {
    return decodeCount("XACK", await this.#call("xack", this.#toKey(stream), group, ...ids));
  }

  settle(ref: ConsumerRef, request: SettleRequest): Promise<readonly SettleOutcome[]> {
    const deadLetters =
      request.deadLetterStream === undefined ? deadLetterKey(this.#toKey(ref.stream), ref.group) : this.#toKey(request.deadLetterStream);
    const keys = [...this.#keys(ref), deadLetters];
    return new SettleChunks(this.#call, (args) => this.#run(this.#scripts.settle, keys, args), ref, idsPerCall).send(request);
  }

  async takeDue(ref: ConsumerRef, max: number): Promise<DuePage> {
    return decodeDue(await this.#run(this.#scripts.take, this.#keys(ref), [ref.group, ref.consumer, Math.min(max, idsPerCall), "due"]));
  }

  async takeIdle(ref: ConsumerRef, { max, minIdleMs, owner = "", cursor, leaveAlone = [] }: IdleRequest): Promise<IdlePage> {
    const args = [ref.group, ref.consumer, Math.min(max, idsPerCall), "idle", minIdleMs, owner, cursor, idsPerCall, ...leaveAlone];
    return decodeIdle(await this.#run(this.#scripts.take, this.#keys(ref), args));
  }

  async renew(ref: ConsumerRef, ids: readonly EntryId[]): Promise<{ lost: readonly EntryId[]; deleted: readonly EntryId[] }> {
    const pages: { lost: readonly EntryId[]; deleted: readonly EntryId[] }[] = [];
    for (let from = 0; from < ids.length; from += idsPerCall) {
      const reply = await this.#run(
        this.#scripts.renew,
        [this.#toKey(ref.stream)],
        [ref.group, ref.consumer, ...ids.slice(from, from + idsPerCall)],
      );
      const [lost, deleted] = decodeList("renew.lua", reply);
      pages.push({ lost: decodeIds(lost), deleted: decodeIds(deleted) });
    }
    return { lost: pages.flatMap((page) => page.lost), deleted: pages.flatMap((page) => page.deleted) };
  }

  async leave(ref: ConsumerRef, { remove, leaveAlone }: LeaveOptions): Promise<number> {
    let released = 0;
    for (let cursor = "-"; cursor !== "";) {
      const args = [ref.group, ref.consumer, cursor, idsPerCall, remove ? "remove" : "stay", ...leaveAlone];
      const [count, next] = decodeList("leave.lua", await this.#run(this.#scripts.leave, this.#keys(ref), args));
      released += decodeCount("leave.lua", count);
      cursor = String(next);
    }
    return released;
  }

  async deadLetters(
    ref: GroupRef,
    request: { stream: string | undefined; after: EntryId | undefined; count: number },
  ): Promise<readonly RawEntry[]> {
    const key = request.stream === undefined ? deadLetterKey(this.#toKey(ref.stream), ref.group) : this.#toKey(request.stream);
    return decodeRange(
      await this.#call("xrange", key, request.after === undefined ? "-" : `(${request.after}`, "+", "count", request.count),
    );
  }

  close(): void {
    if (this.#unanswered === 0) return this.#connection.disconnect();
    this.#closing ??= setTimeout(() => this.#connection.disconnect(), closeWithinMs).unref();
  }

  #keys(ref: GroupRef): [string, string] {
    const stream = this.#toKey(ref.stream);
    return [stream, retryKey(stream, ref.group)];
  }

  #run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#call, script, keys, args);
  }

  readonly #call: Call = async (command, ...args) => {
    this.#unanswered += 1;
    try {
      return await this.#connection.call(command, ...args);
    } catch (error) {
      throw error instanceof Error && error.message === "Connection is closed." ? (this.#trouble ?? error) : error;
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered === 0 && this.#closing !== undefined) {
        clearTimeout(this.#closing);
        this.#connection.disconnect();
      }
    }
  };
}

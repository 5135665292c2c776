import type { Observable } from "rxjs";
import { ReplyError } from "../errors.js";
import { isEntryId, type EntryId } from "../model/entry-id.js";
import { checkpointKey } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import type { StreamEdges } from "../model/resume.js";
import type { CommandConnection } from "./command-connection.js";
import { decodeRange, decodeRecord } from "./decode-reply.js";
import { forgetReply } from "./forget-reply.js";
import { orWhenMissing } from "./or-when-missing.js";
import type { CheckpointRef, Outage, RangeRequest, RawEntry, StreamHistory } from "./port.js";
import { loadCheckpointScript, type Call, type Script } from "./script.js";

/** The questions of sources without a group, on a connection of their own. @internal */
export class IoredisHistory implements StreamHistory {
  readonly broken: Observable<Outage>;
  readonly #connection: CommandConnection;
  readonly #callForEntries: Call;
  readonly #move: Script = loadCheckpointScript();

  constructor(connection: CommandConnection, payload: Payload = "string") {
    this.#connection = connection;
    this.#callForEntries = connection.callFor(payload);
    this.broken = connection.broken;
  }

  async range(stream: string, { start, end, count, reverse }: RangeRequest): Promise<readonly RawEntry[]> {
    const bounds = reverse ? [end, start] : [start, end];
    const command = reverse ? "xrevrange" : "xrange";
    const reply = await this.#callForEntries(command, this.#connection.toKey(stream), ...bounds, "count", count);
    const entries = [...decodeRange(reply)]; // which is the reply itself
    forgetReply(reply);
    return entries;
  }

  edges(stream: string): Promise<StreamEdges | undefined> {
    return orWhenMissing(this.#connection.call("xinfo", "stream", this.#connection.toKey(stream)), decodeEdges, undefined);
  }

  async checkpoint(ref: CheckpointRef): Promise<EntryId | undefined> {
    const stored = await this.#connection.call("get", this.#keyOf(ref));
    return stored === null ? undefined : decodeCheckpoint(stored);
  }

  async moveCheckpoint(ref: CheckpointRef, id: EntryId, insteadOf?: EntryId): Promise<EntryId> {
    return decodeCheckpoint(await this.#connection.run(this.#move, [this.#keyOf(ref)], [id, insteadOf ?? ""]));
  }

  close(): void {
    this.#connection.close();
  }

  #keyOf({ stream, name }: CheckpointRef): string {
    return checkpointKey(this.#connection.toKey(stream), name);
  }
}

function decodeEdges(reply: unknown): StreamEdges {
  const info = decodeRecord("XINFO STREAM", reply);
  const first = info.get("first-entry") as RawEntry | null | undefined;
  return {
    lastGeneratedId: info.get("last-generated-id") as EntryId,
    first: first?.[0],
    maxDeletedId: info.get("max-deleted-entry-id") as EntryId | undefined,
  };
}

function decodeCheckpoint(stored: unknown): EntryId {
  if (typeof stored === "string" && isEntryId(stored)) return stored;
  throw new ReplyError("GET of a checkpoint", "text that is no entry id");
}

import type { Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { GroupDetails, StreamInfo, StreamOverview } from "../model/group-facts.js";
import type { UnreadCount } from "../model/lag.js";
import type { CommandConnection } from "./command-connection.js";
import { decodeConsumers, decodeGroups, decodePendingPage } from "./decode-admin.js";
import { decodeCount, decodeList, decodeRange, decodeRecord } from "./decode-reply.js";
import { orWhenMissing } from "./or-when-missing.js";
import type { DetailsRequest, GroupRef, RawEntry, StreamInspection, Outage } from "./port.js";

/** Entries per XRANGE: about 0.6 ms of the server, so that SLOWLOG at 5 ms stays empty. */
const entriesPerPage = 1_000;

/** The questions of watchers, on a connection of their own; what is asked together goes out together. @internal */
export class IoredisInspection implements StreamInspection {
  readonly broken: Observable<Outage>;
  readonly #connection: CommandConnection;

  constructor(connection: CommandConnection) {
    this.#connection = connection;
    this.broken = connection.broken;
  }

  async overview(stream: string): Promise<StreamOverview> {
    const { call, toKey } = this.#connection;
    const [at, info, groups] = await Promise.all([
      call("time").then(decodeTime),
      orWhenMissing(call("xinfo", "stream", toKey(stream)), decodeStream, undefined),
      orWhenMissing(call("xinfo", "groups", toKey(stream)), decodeGroups, []),
    ]);
    return { at, stream: info, groups };
  }

  async details(ref: GroupRef, { deadLetterStream, rows }: DetailsRequest): Promise<GroupDetails> {
    const { call } = this.#connection;
    const [key, retries] = this.#connection.keys(ref);
    const deadLetters = this.#connection.deadLetterKey(ref, deadLetterStream);
    const [consumers, pending, waiting, next, dead] = await Promise.all([
      orWhenMissing(call("xinfo", "consumers", key, ref.group), decodeConsumers, []),
      orWhenMissing(call("xpending", key, ref.group, "-", "+", rows), decodePendingPage, []),
      call("zcard", retries),
      call("zrange", retries, 0, 0, "withscores"),
      call("xlen", deadLetters),
    ]);
    return {
      consumers,
      pending,
      retriesWaiting: decodeCount("ZCARD", waiting),
      nextRetryAt: decodeScore(next),
      deadLetters: decodeCount("XLEN", dead),
    };
  }

  async countAfter(stream: string, id: EntryId, max: number): Promise<UnreadCount> {
    const key = this.#connection.toKey(stream);
    let count = 0;
    for (let after = id; count < max;) {
      const asked = Math.min(entriesPerPage, max - count);
      const page = decodeRange(await this.#connection.call("xrange", key, `(${after}`, "+", "count", asked));
      count += page.length;
      if (page.length < asked) return { count, isComplete: true };
      after = page.at(-1)![0];
    }
    return { count, isComplete: false };
  }

  close(): void {
    this.#connection.close();
  }
}

function decodeTime(reply: unknown): number {
  const [seconds, micros] = decodeList("TIME", reply);
  return decodeCount("TIME", seconds) * 1_000 + Math.floor(decodeCount("TIME", micros) / 1_000);
}

function decodeStream(reply: unknown): StreamInfo {
  const info = decodeRecord("XINFO STREAM", reply);
  const [first, last] = [info.get("first-entry"), info.get("last-entry")] as (RawEntry | null | undefined)[];
  const added = info.get("entries-added") ?? undefined;
  return {
    length: decodeCount("XINFO STREAM", info.get("length")),
    entriesAdded: added === undefined ? undefined : decodeCount("XINFO STREAM", added),
    ends: first && last ? { first: first[0], last: last[0] } : undefined,
    entryBytes: Math.max(sizeOf(first), sizeOf(last)),
  };
}

const sizeOf = (entry: RawEntry | null | undefined): number => (entry?.[1] ?? []).reduce((size, text) => size + text.length, 0);

/** ZRANGE … WITHSCORES of one member, or none. */
function decodeScore(reply: unknown): number | undefined {
  const [, score] = decodeList("ZRANGE", reply);
  return score === undefined ? undefined : Number(score);
}

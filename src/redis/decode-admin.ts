/** The replies of XINFO, XPENDING and the scripts of administration; their shapes are decode-reply's affair. */
import { fromNullable, map, none, some, type Option } from "fp-ts/lib/Option.js";
import { ReplyError } from "../errors.js";
import type { EntryId } from "../model/entry-id.js";
import type { ConsumerInfo, GroupInfo } from "../model/group-info.js";
import { toPendingEntry, type PendingEntry, type PendingSummary } from "../model/pending.js";
import type { RedriveOutcome } from "../model/redriven.js";
import { decodeCount, decodeList, decodeRecord } from "./decode-reply.js";
import type { CountPage, DeletionStep, TrimStep } from "./port.js";

/** XINFO GROUPS; null and missing numbers are unknown. @internal */
export function decodeGroups(reply: unknown): readonly GroupInfo[] {
  return records("XINFO GROUPS", reply).map((info) => ({
    name: nameIn("XINFO GROUPS", info),
    consumers: decodeCount("XINFO GROUPS", info.get("consumers")),
    pending: decodeCount("XINFO GROUPS", info.get("pending")),
    lastDeliveredId: String(info.get("last-delivered-id")) as EntryId,
    entriesRead: maybeCount("XINFO GROUPS", info.get("entries-read")),
    lag: maybeCount("XINFO GROUPS", info.get("lag")),
  }));
}

/** XINFO CONSUMERS; `inactive` is missing before 7.2, and -1 for a consumer that never got anything. @internal */
export function decodeConsumers(reply: unknown): readonly ConsumerInfo[] {
  return records("XINFO CONSUMERS", reply).map((info) => ({
    name: nameIn("XINFO CONSUMERS", info),
    pending: decodeCount("XINFO CONSUMERS", info.get("pending")),
    idleMs: decodeCount("XINFO CONSUMERS", info.get("idle")),
    inactiveMs: maybeCount("XINFO CONSUMERS", info.get("inactive")),
  }));
}

/** XPENDING with a range: rows of id, consumer, idle ms, delivery count. @internal */
export function decodePendingPage(reply: unknown): readonly PendingEntry[] {
  return decodeList("XPENDING", reply).map((row) => {
    const [id, consumer, idleMs, deliveryCount] = decodeList("XPENDING", row);
    return toPendingEntry(id as EntryId, String(consumer), decodeCount("XPENDING", idleMs), counter(deliveryCount));
  });
}

/** XPENDING: count, lowest, highest, rows of consumer and count; nulls when nothing is pending. @internal */
export function decodePendingSummary(reply: unknown): PendingSummary {
  const [count, lowest, highest, rows] = decodeList("XPENDING", reply);
  const consumers = decodeList("XPENDING", rows ?? []).map((row) => {
    const [name, owned] = decodeList("XPENDING", row);
    return [String(name), decodeCount("XPENDING", owned)] as const;
  });
  return {
    count: decodeCount("XPENDING", count),
    lowest: (lowest ?? undefined) as EntryId | undefined,
    highest: (highest ?? undefined) as EntryId | undefined,
    consumers: new Map(consumers),
  };
}

/** The answer of delete-consumer.lua. @internal */
export function decodeDeletion(reply: unknown): DeletionStep {
  const [tag, number] = decodeList("delete-consumer.lua", reply);
  const count = decodeCount("delete-consumer.lua", number);
  if (tag === "refused") return { _tag: tag, pending: count };
  if (tag === "deleted" || tag === "absent" || tag === "more") return { _tag: tag, moved: count };
  throw new ReplyError("delete-consumer.lua", typeof tag);
}

/** The answer of trim-acked.lua. @internal */
export function decodeTrimStep(reply: unknown): TrimStep {
  const [removed, keepFrom, heldBy, deadGroups] = decodeList("trim-acked.lua", reply);
  return {
    removed: decodeCount("trim-acked.lua", removed),
    keepFrom: keepFrom === "" ? undefined : (keepFrom as EntryId),
    heldBy: heldBy === "" ? undefined : String(heldBy),
    deadGroups: decodeList("trim-acked.lua", deadGroups).map(String),
  };
}

/** The answer of count-before.lua. @internal */
export function decodeCountPage(reply: unknown): CountPage {
  const [count, cursor] = decodeList("count-before.lua", reply);
  return { count: decodeCount("count-before.lua", count), cursor: cursor === "" ? undefined : String(cursor) };
}

/** The answer of redrive.lua. @internal */
export function decodeRedrive(reply: unknown): readonly RedriveOutcome[] {
  return decodeList("redrive.lua", reply).map((outcome) => {
    const [what, id] = decodeList("redrive.lua", outcome) as [RedriveOutcome["what"], string];
    return { what, id: id === "" ? undefined : (id as EntryId) };
  });
}

const records = (command: string, reply: unknown): readonly ReadonlyMap<string, unknown>[] =>
  decodeList(command, reply).map((each) => decodeRecord(command, each));

function nameIn(command: string, info: ReadonlyMap<string, unknown>): string {
  const name = info.get("name");
  if (typeof name !== "string") throw new ReplyError(command, "no name");
  return name;
}

/** Redis' words for unknown are null, -1, and nothing at all. */
function maybeCount(command: string, value: unknown): Option<number> {
  const count = map((known: unknown) => decodeCount(command, known))(fromNullable(value));
  return count._tag === "Some" && count.value >= 0 ? some(count.value) : none;
}

/** A parser may give a 64-bit number as a bigint where a number can't hold it. */
const counter = (value: unknown): number => (typeof value === "bigint" ? Number(value) : decodeCount("XPENDING", value));

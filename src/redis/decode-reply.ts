/**
 * The one place that knows the shapes of replies: RESP2 and RESP3, ioredis 5 and 6 with either reply mapping, text or Buffers,
 * nulls, the forms of Redis 6.2, and wake-ups without entries. Everything behind it is typed.
 */
import { ReplyError } from "../errors.js";
import { entriesToText } from "./entry-text.js";
import type { FieldNames } from "./field-names.js";
import type { EntryId } from "../model/entry-id.js";
import type { OrderAnswer } from "../model/order.js";
import type { ClaimAnswer, ClaimVerdict, DuePage, IdlePage, RawEntry, Renewal, StreamPage, TakenEntry, TakenPage } from "./port.js";

/**
 * XREADGROUP and XREAD: null when nothing came; `[[key, entries], …]`; flat `[key, entries, …]` where ioredis 6 does not know the
 * command's name; a map or an object by key in RESP3. The entries are passed on as they are, but for Buffers that are to be text.
 * @param claims - of a read that claims: each entry says how long it was idle, and how often it was delivered before
 * @param names - where names and values that came as Buffers are to be text
 * @internal
 */
export function decodeRead(reply: unknown, toName: (key: string) => string, claims = false, names?: FieldNames): readonly StreamPage[] {
  const pages: StreamPage[] = [];
  for (const [key, entries] of keyedEntries(reply)) {
    if (!Array.isArray(entries)) throw new ReplyError("XREADGROUP", shapeOf(reply));
    const page = { stream: toName(String(key)), entries: entriesIn(entries) };
    if (names !== undefined) entriesToText(entries, names);
    if (entries.length > 0) pages.push(claims ? { ...page, claimed: countDeliveries(entries) } : page);
  }
  return pages;
}

/** Turns `[id, pairs, idle, deliveries before]` into `[id, pairs, deliveries]` in place; how many were claimed, which come first. */
function countDeliveries(entries: unknown[]): number {
  let claimed = 0;
  for (const entry of entries as unknown[][]) {
    if (entry.length !== 4) throw new ReplyError("XREADGROUP … CLAIM", shapeOf(entry));
    const deliveries = Number(entry.pop());
    if (isClaimed(Number(entry[2]), deliveries)) claimed += 1;
    entry[2] = deliveries + 1;
  }
  return claimed;
}

/** What is new was never idle and never delivered; a claimed entry may be one of both, within its first millisecond or after a release. @internal */
export const isClaimed = (idleMs: number, deliveries: number): boolean => idleMs > 0 || deliveries > 0;

function keyedEntries(reply: unknown): Iterable<readonly [unknown, unknown]> {
  if (reply === null || reply === undefined) return [];
  if (reply instanceof Map) return reply;
  if (!Array.isArray(reply)) {
    if (typeof reply === "object") return Object.entries(reply);
    throw new ReplyError("XREADGROUP", shapeOf(reply));
  }
  return reply.length > 0 && !Array.isArray(reply[0]) ? inTwos(reply) : (reply as (readonly [unknown, unknown])[]);
}

/** XRANGE: `[[id, pairs], …]`. @internal */
export function decodeRange(reply: unknown): readonly RawEntry[] {
  return entriesIn(list("XRANGE", reply));
}

/** An integer, which `stringNumbers` turns into text. @internal */
export function decodeCount(command: string, reply: unknown): number {
  if (typeof reply === "number" && Number.isInteger(reply)) return reply;
  if (typeof reply === "string" && /^-?\d+$/.test(reply)) return Number(reply);
  throw new ReplyError(command, shapeOf(reply));
}

/** XINFO and its like: flat name, value … arrays in RESP2, maps or objects in RESP3. @internal */
export function decodeRecord(command: string, reply: unknown): ReadonlyMap<string, unknown> {
  if (reply instanceof Map) return reply as ReadonlyMap<string, unknown>;
  if (Array.isArray(reply)) return new Map(inTwos(reply) as Iterable<[string, unknown]>);
  if (typeof reply === "object" && reply !== null) return new Map(Object.entries(reply));
  throw new ReplyError(command, shapeOf(reply));
}

/** The id of the last entry ever added, of XINFO STREAM. @internal */
export function decodeLastGeneratedId(reply: unknown): EntryId {
  return decodeRecord("XINFO STREAM", reply).get("last-generated-id") as EntryId;
}

/** The answer of take.lua for retries that are due. @internal */
export function decodeDue(reply: unknown): DuePage {
  const [entries, deleted, next] = list("take.lua", reply);
  const nextMs = decodeCount("take.lua", next);
  return { ...takenPage(entries, deleted), nextDueMs: nextMs < 0 ? undefined : nextMs };
}

/** The answer of take.lua for idle entries. @internal */
export function decodeIdle(reply: unknown): IdlePage {
  const [entries, deleted, cursor, mine] = list("take.lua", reply);
  const next = Buffer.isBuffer(cursor) ? cursor.toString() : cursor;
  if (typeof next !== "string") throw new ReplyError("take.lua", shapeOf(reply)); // the scan would begin anew for ever
  return { ...takenPage(entries, deleted), cursor: next === "" ? undefined : next, mine: decodeIds(mine) };
}

/** The answer of confirm.lua. @internal */
export function decodeClaimVerdict(reply: unknown): ClaimVerdict {
  const [retries, stale, waiting] = list("confirm.lua", reply);
  return { retries: decodeIds(retries), stale: decodeIds(stale), waiting: decodeCount("confirm.lua", waiting) };
}

/** The answer of next-due.lua: -1 where nothing waits. @internal */
export function decodeNextDue(reply: unknown): readonly (number | undefined)[] {
  const ms = list("next-due.lua", reply).map((each) => decodeCount("next-due.lua", each));
  return ms.map((each) => (each < 0 ? undefined : each));
}

/** The answer of renew.lua. @internal */
export function decodeRenewal(reply: unknown): Renewal {
  const [lost, deleted, absent] = list("renew.lua", reply);
  return { lost: decodeIds(lost), deleted: decodeIds(deleted), absent: decodeIds(absent) };
}

/** The answer of claim.lua. @internal */
export function decodeClaims(reply: unknown, count: number): readonly ClaimAnswer[] {
  const answers = new Array<ClaimAnswer>(count).fill(taken);
  for (const [place, answer] of decodeExceptions("claim.lua", reply, count)) {
    answers[place] = answer === "claimed" ? { _tag: "claimed" } : { _tag: "done", forMs: decodeCount("claim.lua", answer) };
  }
  return answers;
}

const taken: ClaimAnswer = { _tag: "taken" };

/**
 * The answer of a script that was asked about many things: how many there were, and where one is not as it mostly is its place and what it is.
 * @throws ReplyError for another number than was asked about: what is not accounted for would wait for ever
 * @internal
 */
export function decodeExceptions(script: string, reply: unknown, count: number): readonly (readonly [place: number, what: unknown])[] {
  const [answered, ...exceptions] = list(script, reply);
  if (decodeCount(script, answered) !== count) throw new ReplyError(script, `${String(answered)} answers to ${count} questions`);
  return [...inTwos(exceptions)].map(([place, what]) => [decodeCount(script, place) - 1, what]);
}

/** The answer of earlier.lua. @internal */
export function decodeEarlier(reply: unknown): readonly OrderAnswer[] {
  return [...inTwos(list("earlier.lua", reply))].map(([marked, waits]) => {
    const waitsMs = decodeCount("earlier.lua", waits);
    return { isMarked: decodeCount("earlier.lua", marked) === 1, waitsMs: waitsMs < 0 ? undefined : waitsMs };
  });
}

/** @internal */
export function decodeIds(reply: unknown): readonly EntryId[] {
  const ids = list("a script", reply);
  return (Buffer.isBuffer(ids[0]) ? ids.map(String) : ids) as readonly EntryId[];
}

/** @internal */
export function decodeList(command: string, reply: unknown): readonly unknown[] {
  return list(command, reply);
}

function takenPage(entries: unknown, deleted: unknown): TakenPage {
  return { entries: entriesIn(list("take.lua", entries)) as readonly TakenEntry[], deleted: decodeIds(deleted) };
}

/** Ids are text everywhere. Where they came as Buffers they are replaced in place, and lists and values stay as they are. */
function entriesIn(entries: readonly unknown[]): readonly RawEntry[] {
  if (Buffer.isBuffer((entries[0] as readonly unknown[] | undefined)?.[0])) {
    for (const entry of entries as [unknown, unknown][]) entry[0] = String(entry[0]);
  }
  return entries as readonly RawEntry[];
}

function list(command: string, reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply as readonly unknown[];
  throw new ReplyError(command, shapeOf(reply));
}

function* inTwos(flat: readonly unknown[]): Generator<[unknown, unknown]> {
  for (let index = 0; index + 1 < flat.length; index += 2) yield [flat[index], flat[index + 1]];
}

/** The outline of a reply without its data, which may be confidential. */
function shapeOf(reply: unknown, depth = 0): string {
  if (Array.isArray(reply))
    return depth > 3
      ? "[…]"
      : `[${reply
          .slice(0, 3)
          .map((item) => shapeOf(item, depth + 1))
          .join(", ")}]`;
  return reply === null ? "null" : typeof reply;
}

import { isStreamsError } from "../errors.js";
import { entryTime, isEntryId, type EntryId } from "./entry-id.js";
import { toFields, type BinaryFields, type Fields } from "./fields.js";
import { withoutQuotes } from "./quoted-arguments.js";
import { isText, toBytes, toText, type RawPairs } from "./raw-pairs.js";

/** Why an entry was moved aside. @public */
export interface DeadLetterCause {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** Where a dead letter comes from. @public */
export interface DeadLetterOrigin {
  readonly stream: string;
  readonly id: EntryId;
  readonly group: string;
  readonly consumer: string;
}

/**
 * An entry that was moved aside, with its reason and, unchanged, what it held.
 * @typeParam F - `Fields`, or `BinaryFields` with `payload: "buffer"`
 * @public
 */
export interface DeadLetter<F = Fields> {
  /** Its id in the dead-letter stream. */
  readonly id: EntryId;
  readonly origin: DeadLetterOrigin;
  readonly cause: DeadLetterCause;
  /** When it failed first, as far as Redis was told (a crash tells nothing), ms since the epoch, by the server's clock. */
  readonly firstFailedAt: number;
  /** When it failed last and was moved, ms since the epoch, by the server's clock. */
  readonly failedAt: number;
  /** How often it was redriven before. */
  readonly hops: number;
  readonly deliveryCount: number;
  readonly fields: F;
  /** The raw pairs of the original entry. Text: what is no UTF-8 is lost in it. */
  readonly pairs: readonly string[];
  /** The same as bytes: exactly those of the entry with `payload: "buffer"`, else the text encoded again. */
  readonly bytes: readonly Buffer[];
}

/** Everything about a dead letter that is not in its id or its original pairs. @internal */
export interface DeadLetterNote {
  readonly origin: DeadLetterOrigin;
  readonly cause: DeadLetterCause;
  readonly deliveryCount: number;
  /** Put in by the script, for an entry that was retried or redriven before. */
  readonly firstFailedAt?: number;
  readonly hops?: number;
  /** True when the entry had too many fields for a script: its pairs follow as JSON in one field. */
  readonly packed?: boolean;
}

/**
 * The note is always the first pair and the original pairs follow as they were, so no field name of a payload
 * can be taken for it, not even this one.
 * @internal
 */
export const noteField = "dead-letter";

const maxName = 200;
const maxMessage = 2_000;
const maxStack = 4_000;

/**
 * What is kept of a thrown value: name, message and a bounded stack. Nothing else is copied, above all not `command.args`
 * of an ioredis error, which holds payloads and passwords, nor what a server quotes of them.
 * @internal
 */
export function toCause(thrown: unknown): DeadLetterCause {
  try {
    return causeOf(thrown);
  } catch {
    return { name: "unknown", message: "The value that was thrown can't be looked at" }; // a getter that throws, a revoked proxy
  }
}

function causeOf(thrown: unknown): DeadLetterCause {
  if (!(thrown instanceof Error)) return { name: typeof thrown, message: clip(describe(thrown), maxMessage) };
  const { name, message, stack } = thrown;
  const cause = { name: clip(describe(name), maxName), message: clip(withoutQuotes(describe(message)), maxMessage) };
  return typeof stack !== "string" || isStreamsError(thrown) ? cause : { ...cause, stack: clip(withoutQuotes(stack), maxStack) }; // ours point at the library, not at a bug
}

/** @internal */
export const encodeNote = (note: DeadLetterNote): string => JSON.stringify(note);

/** Reads an entry of a dead-letter stream; what somebody else put there is shown as unreadable, never hidden. @internal */
export function toDeadLetter(stream: string, group: string, id: EntryId, pairs: RawPairs): DeadLetter<Fields | BinaryFields> {
  const note = String(pairs[0]) === noteField ? parseNote(String(pairs[1])) : undefined;
  const { packed = false, ...known } = note ?? unreadable(stream, group, id);
  const kept = note === undefined ? pairs : pairs.slice(2);
  const original = packed ? unpack(kept) : kept;
  const failedAt = entryTime(id);
  const letter = { firstFailedAt: failedAt, hops: 0, ...known, id, failedAt, fields: toFields(original), pairs: toText(original) };
  let bytes: readonly Buffer[] | undefined;
  // not enumerable: a letter that is printed or turned into JSON would say everything twice
  return Object.defineProperty(letter, "bytes", { get: () => (bytes ??= toBytes(original)) }) as typeof letter & Pick<DeadLetter, "bytes">;
}

/** What can't be unpacked is shown as it is. */
function unpack(kept: RawPairs): RawPairs {
  try {
    // a script's JSON holds bytes as they are: read as Latin-1, each character is one
    const pairs: unknown = JSON.parse(isText(kept) ? (kept[1] ?? "") : (kept[1]?.toString("latin1") ?? ""));
    if (!Array.isArray(pairs)) return kept;
    return isText(kept) ? (pairs as string[]) : (pairs as string[]).map((text) => Buffer.from(text, "latin1"));
  } catch {
    return kept;
  }
}

/** Whether it is what {@link toDeadLetter} makes of an entry that nobody of this library has written. @internal */
export const isUnreadable = ({ origin }: Pick<DeadLetter, "origin">): boolean => origin.consumer === "";

const unreadable = (stream: string, group: string, id: EntryId): DeadLetterNote => ({
  origin: { stream, id, group, consumer: "" },
  cause: { name: "UnreadableDeadLetter", message: `Entry ${id} of the dead-letter stream was not written by this library` },
  deliveryCount: 0,
});

function parseNote(text: string): DeadLetterNote | undefined {
  try {
    const note = JSON.parse(text) as DeadLetterNote | null;
    return typeof note?.origin.stream === "string" && isEntryId(note.origin.id) && typeof note.cause.message === "string"
      ? note
      : undefined;
  } catch {
    return undefined; // not ours: the caller shows it as unreadable
  }
}

/** Anything can be thrown, and all of it must be told: a dead letter without a reason could not be written. */
function describe(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return (typeof thrown === "object" ? JSON.stringify(thrown) : undefined) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown); // a circle has no JSON, an object without a prototype no text
  }
}

const clip = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;

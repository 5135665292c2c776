import type { Ord } from "fp-ts/lib/Ord.js";

declare const brand: unique symbol;

/**
 * The id of a stream entry, `"<ms>-<seq>"`: two unsigned 64-bit numbers in canonical decimal form.
 *
 * Kept as text because both halves exceed what a JavaScript number holds; compare with {@link EntryIdOrd}, never with `<`.
 * @public
 */
export type EntryId = string & { readonly [brand]: "EntryId" };

const canonical = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;
const u64Max = "18446744073709551615";
const anId = 'an entry id "<ms>-<seq>" of two unsigned 64-bit numbers';

/** Before every entry: an entry has an id of 0-1 or more. @internal */
export const firstId = "0-0" as EntryId;
/** @internal */
export const lastId: EntryId = `${u64Max}-${u64Max}` as EntryId;

/**
 * Tells whether a text is a complete, canonical entry id within Redis' range.
 * @example
 * ```ts
 * isEntryId("1526919030474-55"); // => true
 * isEntryId("1526919030474"); // => false
 * ```
 * @public
 */
export function isEntryId(text: string): text is EntryId {
  const halves = canonical.exec(text);
  return halves !== null && compareDigits(halves[1]!, u64Max) <= 0 && compareDigits(halves[2]!, u64Max) <= 0;
}

/**
 * Reads an entry id from text a person wrote.
 * @throws RangeError when the text is not `"<ms>-<seq>"` with two unsigned 64-bit numbers
 * @example
 * ```ts
 * toEntryId("1526919030474-55"); // => "1526919030474-55"
 * ```
 * @public
 */
export function toEntryId(text: string): EntryId {
  if (isEntryId(text)) return text;
  throw new RangeError(`Expected ${anId}, got \`${text}\``);
}

/** Checks an option. @throws RangeError that names it @internal */
export function entryId(name: string, value: string): EntryId {
  if (isEntryId(value)) return value;
  throw new RangeError(`Expected \`${name}\` to be ${anId}, got \`${value}\``);
}

/**
 * Orders entry ids as Redis does, by number and not as text: `"9-0"` comes before `"10-0"`.
 * @example
 * ```ts
 * EntryIdOrd.compare(toEntryId("9-0"), toEntryId("10-0")); // => -1
 * ```
 * @public
 */
export const EntryIdOrd: Ord<EntryId> = {
  equals: (first, second) => first === second,
  // by the rule of compareDigits, without taking the ids apart: it is done for each page
  compare: (first, second) => {
    const dash = first.indexOf("-");
    const byMs = dash - second.indexOf("-");
    const bySeq = first.length - second.length;
    if (byMs !== 0) return byMs < 0 ? -1 : 1;
    if (bySeq !== 0 && first.startsWith(second.slice(0, dash))) return bySeq < 0 ? -1 : 1;
    return first === second ? 0 : first < second ? -1 : 1;
  },
};

/**
 * The server's clock when the entry was added, in ms since the epoch; exact for ids that Redis made.
 * @example
 * ```ts
 * entryTime(toEntryId("1526919030474-55")); // => 1526919030474
 * ```
 * @public
 */
export function entryTime(id: EntryId): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** The greatest id below `id`: a group created there is given `id` next. @internal */
export function idBefore(id: EntryId): EntryId {
  const [ms, seq] = halvesOf(id);
  if (seq !== "0") return `${ms}-${BigInt(seq) - 1n}` as EntryId;
  return (ms === "0" ? "0-0" : `${BigInt(ms) - 1n}-${u64Max}`) as EntryId;
}

function halvesOf(id: EntryId): readonly [ms: string, seq: string] {
  const dash = id.indexOf("-");
  return [id.slice(0, dash), id.slice(dash + 1)];
}

/** Canonical decimals have no leading zeros, so the longer one is the greater one. */
function compareDigits(first: string, second: string): -1 | 0 | 1 {
  if (first.length !== second.length) return first.length < second.length ? -1 : 1;
  return first === second ? 0 : first < second ? -1 : 1;
}

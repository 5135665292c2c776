import { EntryIdOrd, firstId, isEntryId, lastId, type EntryId } from "./entry-id.js";

/**
 * An end of a range: `"-"` the beginning of the stream, `"+"` its end, an id, `"(id"` without that id, or a time. A time is a `Date`, a
 * number of ms since the epoch, or such a number as text, as in redis-cli: as a start the first id of that ms, `<ms>-0`, as an end
 * the last one, `<ms>-18446744073709551615`.
 * @public
 */
export type RangeBound = string | number | Date;

/** A range as XRANGE takes it. @internal */
export interface Range {
  readonly start: string;
  readonly end: string;
}

const wanted = '"-", "+", an id "<ms>-<seq>", "(" with an id, a `Date`, or ms since the epoch';

/** @throws RangeError that names the option, or both when they are the wrong way round @internal */
export function toRange(start: RangeBound, end: RangeBound): Range {
  const range = { start: toBound("start", start), end: toBound("end", end) };
  if (range.start === `(${lastId}` || range.start === "+") throw refused("start", start, "a bound that an entry can come after");
  if (range.end === `(${firstId}` || range.end === "-") throw refused("end", end, "a bound that an entry can come before");
  if (EntryIdOrd.compare(leastOf(range.start), greatestOf(range.end)) > 0) {
    throw new RangeError(`Expected \`start\` to be no later than \`end\`, got \`${range.start}\` and \`${range.end}\``);
  }
  return range;
}

function toBound(name: string, bound: RangeBound): string {
  const text = bound instanceof Date ? String(bound.getTime()) : typeof bound === "number" ? String(bound) : bound;
  if (text === "-" || text === "+") return text;
  if (typeof text === "string" && (isEntryId(text.replace(/^\(/, "")) || isEntryId(`${text}-0`))) return text;
  throw refused(name, bound, wanted);
}

const idOf = (bound: string): string => bound.replace(/^\(/, "");
const leastOf = (bound: string): EntryId => (bound === "-" ? firstId : withSequence(idOf(bound), "0"));
const greatestOf = (bound: string): EntryId => (bound === "+" ? lastId : withSequence(idOf(bound), "18446744073709551615"));
const withSequence = (id: string, sequence: string): EntryId => (id.includes("-") ? id : `${id}-${sequence}`) as EntryId;

const refused = (name: string, bound: unknown, expected: string): RangeError =>
  new RangeError(`Expected \`${name}\` to be ${expected}, got \`${String(bound)}\``);

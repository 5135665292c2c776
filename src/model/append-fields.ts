import { disown } from "./disown.js";
import { redrivenField, redrivenFor } from "./redriven.js";

/** What a field can hold; numbers must be finite, and `true` is written as `"true"`. @public */
export type FieldValue = string | number | boolean | bigint | Uint8Array;

/** The fields of a new entry: a record, or pairs where the order or a repeated name matters. @public */
export type NewFields = Readonly<Record<string, FieldValue>> | Iterable<readonly [name: string, value: FieldValue]>;

/** A word of a command. @internal */
export type Word = string | Buffer;

/** More names than that don't fit into one call of a script. */
const mostFields = 3_000;

/**
 * The flat name, value, name, value … list of a new entry.
 * @throws TypeError or RangeError that names the field: the client would write `""` for undefined and null
 * @internal
 */
export function toNewPairs(fields: unknown, extra?: Readonly<Record<string, string>>): readonly Word[] {
  const pairs: Word[] = [];
  if (!isHolder(fields)) throw noHolder(fields);
  if (Symbol.iterator in fields) {
    for (const [name, value] of fields as Iterable<readonly [unknown, unknown]>) pairs.push(nameOf(name), valueOf(name, value));
  } else for (const name of Object.keys(fields)) pairs.push(name, valueOf(name, fields[name]));
  if (extra !== undefined) addMissing(pairs, extra);
  if (redrivenFor(pairs) !== undefined) throw new RangeError(`The field name \`${redrivenField}\` is kept for \`redrive\``);
  if (pairs.length === 0) throw new RangeError("Expected the fields of a new entry to be at least one, got none");
  if (pairs.length > 2 * mostFields) throw new RangeError(`Expected at most ${mostFields} fields in an entry, got ${pairs.length / 2}`);
  return pairs;
}

function addMissing(pairs: Word[], extra: Readonly<Record<string, string>>): void {
  const taken = new Set(pairs.filter((_, index) => index % 2 === 0));
  for (const [name, value] of Object.entries(extra)) if (!taken.has(name)) pairs.push(name, valueOf(name, value));
}

const isHolder = (fields: unknown): fields is Readonly<Record<string, unknown>> =>
  typeof fields === "object" && fields !== null && !ArrayBuffer.isView(fields) && !(fields instanceof Date) && !isPromise(fields);

function noHolder(fields: unknown): TypeError {
  disown(fields);
  return new TypeError(`Expected a record of fields, got ${kindOf(fields)}: say with \`fields\` what becomes of a value`);
}

/** A record that has a field named `then` is none. */
const isPromise = (fields: object): boolean => typeof (fields as Partial<PromiseLike<unknown>>).then === "function";

function nameOf(name: unknown): string {
  if (typeof name === "string") return name;
  throw new TypeError(`Expected the name of a field to be a string, got ${kindOf(name)}`);
}

function valueOf(name: unknown, value: unknown): Word {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      if (Number.isFinite(value)) return String(value);
      break;
    case "object":
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  const hint = value instanceof Date ? "; write `toISOString()` or `getTime()` of it" : "";
  throw new TypeError(
    `Expected field \`${String(name)}\` to be a string, a finite number, a boolean, a bigint or bytes, got ${kindOf(value)}${hint}`,
  );
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === "number") return String(value);
  if (typeof value === "object" && isPromise(value)) return "a promise";
  return value instanceof Date ? "a Date" : Array.isArray(value) ? "an array" : typeof value;
}

/** About how large a command the entry makes, in bytes. @internal */
export function sizeOfWords(words: readonly Word[]): number {
  let size = 0;
  for (const word of words) size += word.length;
  return size;
}

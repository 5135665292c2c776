import { disown } from "./disown.js";
import type { Write } from "./write.js";

/** A value of a field: text, a finite number, or bytes. @public */
export type OutputValue = string | number | bigint | Uint8Array;

/** The fields of an entry to be written, in order; at least one. @public */
export type OutputRecord = Readonly<Record<string, OutputValue>>;

/** More fields than a script can pass on. */
const mostFields = 3_500;

/** Name, value, name, value … @throws TypeError or RangeError for a record that can't be written @internal */
export function outputWords(name: string, record: OutputRecord | null): Write["args"] {
  if (typeof record !== "object" || record === null) throw new TypeError(`Expected \`${name}\` to be a record, got ${describe(record)}`);
  if (typeof (record as { then?: unknown }).then === "function") {
    disown(record);
    throw new TypeError(`Expected \`${name}\` to be a record, got a promise: wait for it in a handler before this`);
  }
  const entries = Object.entries(record);
  if (entries.length === 0) throw new RangeError(`Expected \`${name}\` to have a field at least: Redis has no empty entries`);
  if (entries.length > mostFields) throw new RangeError(`Expected \`${name}\` to have ${mostFields} fields at most, got ${entries.length}`);
  return entries.flatMap(([field, value]) => [field, outputValue(`${name}.${field}`, value)]);
}

/** @internal */
export function outputValue(name: string, value: OutputValue): string | Buffer {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`Expected \`${name}\` to be text, a finite number or bytes, got ${describe(value)}`);
}

const describe = (value: unknown): string => (value === null || typeof value === "number" ? String(value) : typeof value);

import type { EntryId } from "./entry-id.js";

/**
 * A mark in a group's order: "an entry of this key was put back, and later ones wait for it". All marks have one score in a ZSET,
 * so Redis sorts them by their bytes: those of a key lie together, in the order of the stream. The length in front keeps one key's
 * marks from looking like another's, whatever is in the keys; ids are filled up with zeros because text sorts "10" before "9". The
 * scripts put a letter at its end: "r" when the entry waits for its own retry, "d" when it only waits for others.
 * @internal
 */
export const orderMark = (key: string, id: EntryId): string => `${prefixOf(key)}${padded(id)}`;

/** A range of marks, as ZRANGEBYLEX takes it. @internal */
export interface MarkRange {
  readonly min: string;
  readonly max: string;
}

/** The marks of a key below an entry, and above another one if there is one. @internal */
export const marksBelow = (key: string, id: EntryId, above: EntryId | undefined): MarkRange => ({
  min: above === undefined ? `[${prefixOf(key)}` : `(${orderMark(key, above)}~`,
  max: `(${orderMark(key, id)}`,
});

/** All marks of a key. @internal */
export const marksOf = (key: string): MarkRange => ({ min: `[${prefixOf(key)}`, max: `(${prefixOf(key)}:` });

const prefixOf = (key: string): string => `${key.length}:${key}:`;

/** Two numbers of 64 bits have 20 digits at most. */
function padded(id: EntryId): string {
  const [ms = "", seq = ""] = id.split("-");
  return `${ms.padStart(20, "0")}-${seq.padStart(20, "0")}`;
}

import type { FieldNames } from "./field-names.js";

/** Turns names and values that came as Buffers into text, in place. @internal */
export function entriesToText(entries: readonly unknown[], names: FieldNames): void {
  for (const entry of entries) {
    const pairs: unknown = Array.isArray(entry) ? entry[1] : undefined;
    if (Array.isArray(pairs)) pairsToText(pairs, names);
  }
}

function pairsToText(pairs: unknown[], names: FieldNames): void {
  for (let index = 0; index < pairs.length; index += 1) {
    const part = pairs[index];
    if (Buffer.isBuffer(part)) pairs[index] = index % 2 === 0 ? names.read(index >> 1, part, 0, part.length) : part.toString();
  }
}

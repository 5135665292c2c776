import type { FieldNames } from "./field-names.js";

/** Turns names and values that came as Buffers into text, in place. @internal */
export function entriesToText(entries: readonly unknown[], names: FieldNames): void {
  for (const entry of entries) {
    const pairs = Array.isArray(entry) ? (entry[1] as unknown) : null;
    if (Array.isArray(pairs) && Buffer.isBuffer(pairs[0])) pairsToText(pairs as Buffer[], pairs, names);
  }
}

function pairsToText(bytes: readonly Buffer[], texts: string[], names: FieldNames): void {
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    texts[index] = names.read(index >> 1, bytes[index]!, 0, bytes[index]!.length);
    texts[index + 1] = bytes[index + 1]!.toString();
  }
}

import type { FieldNames } from "./field-names.js";

/** Turns names and values that came as Buffers into text, in place. @internal */
export function entriesToText(entries: readonly unknown[], names: FieldNames): void {
  for (const entry of entries) {
    const pairs: unknown = Array.isArray(entry) ? entry[1] : undefined;
    if (Array.isArray(pairs) && pairs.every((part) => Buffer.isBuffer(part))) pairsToText(pairs, names);
  }
}

function pairsToText(pairs: (Buffer | string)[], names: FieldNames): void {
  for (let index = 0; index < pairs.length; index += 2) {
    const [name, value] = [pairs[index] as Buffer, pairs[index + 1] as Buffer | undefined];
    pairs[index] = names.read(index >> 1, name, 0, name.length);
    if (value !== undefined) pairs[index + 1] = value.toString();
  }
}

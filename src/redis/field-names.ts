/** Beyond these an entry's names are taken to differ from those of the next one. */
const mostNames = 64;
const longestName = 64;

/**
 * The names of fields as text. The entries of a stream mostly have the same names in the same places: those are compared as bytes
 * with the ones of the entry before, and are one string for all entries.
 * @internal
 */
export class FieldNames {
  readonly #known: { readonly bytes: Uint8Array; readonly text: string }[] = [];

  /** @param place - the how-manieth name of the entry it is */
  read(place: number, bytes: Buffer, from: number, to: number): string {
    const known = this.#known[place];
    if (known !== undefined && isSame(known.bytes, bytes, from, to)) return known.text;
    const text = bytes.toString("utf8", from, to);
    if (place < mostNames && to - from <= longestName) this.#known[place] = { bytes: Uint8Array.from(bytes.subarray(from, to)), text };
    return text;
  }
}

function isSame(known: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let index = 0; index < known.length; index += 1) if (known[index] !== bytes[from + index]) return false;
  return true;
}

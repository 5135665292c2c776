/** The flat name, value, name, value … list of an entry as it came: all text, or all bytes. @internal */
export type RawPairs = readonly string[] | readonly Buffer[];

/** @internal */
export const isText = (pairs: RawPairs): pairs is readonly string[] => typeof pairs[0] !== "object";

/** As text; what is no UTF-8 is lost in it. @internal */
export const toText = (pairs: RawPairs): readonly string[] => (isText(pairs) ? pairs : pairs.map((bytes) => bytes.toString()));

/** As bytes. @internal */
export const toBytes = (pairs: RawPairs): readonly Buffer[] => (isText(pairs) ? pairs.map((text) => Buffer.from(text)) : pairs);

/**
 * What an entry takes: the lengths of its names and values, in bytes or, of text, in UTF-16 units. That is what text takes in
 * memory, one byte a unit as long as it is Latin-1 and two else, and needs no look at the text itself.
 * @internal
 */
export function sizeOf(pairs: RawPairs): number {
  let size = 0;
  for (let index = 0; index < pairs.length; index += 1) size += pairs[index]!.length;
  return size;
}

import { isText, type RawPairs } from "./raw-pairs.js";

/**
 * The fields of an entry by name. It has no prototype, so a field named `__proto__` is just data.
 * Where a name repeats, the last value wins; `delivery.pairs` keeps them all, in order.
 * @public
 */
export interface Fields {
  readonly [name: string]: string;
}

/**
 * The same with `payload: "buffer"`: each value as the bytes it is. Names are read as UTF-8; `delivery.bytes` has them, and names
 * that repeat, byte for byte.
 * @public
 */
export interface BinaryFields {
  readonly [name: string]: Buffer;
}

/** Builds the fields from the flat name, value, name, value … list that Redis answers with. @internal */
export function toFields(pairs: RawPairs): Fields | BinaryFields {
  const fields = new Plain();
  if (isText(pairs)) for (let index = 0; index + 1 < pairs.length; index += 2) fields[pairs[index]!] = pairs[index + 1]!;
  else for (let index = 0; index + 1 < pairs.length; index += 2) fields[pairs[index]!.toString()] = pairs[index + 1]!;
  return Object.setPrototypeOf(fields, null) as Fields | BinaryFields;
}

/** Inherits nothing while it is filled. What `Object.create(null)` makes is a hash table: 300 bytes more, and slower to fill and to read. */
const Plain = function () {} as unknown as new () => Record<string, string | Buffer>;
Plain.prototype = Object.create(null) as object;

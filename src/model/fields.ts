/**
 * The fields of an entry by name. It has no prototype, so a field named `__proto__` is just data.
 * Where a name repeats, the last value wins; `delivery.pairs` keeps them all, in order.
 * @public
 */
export interface Fields {
  readonly [name: string]: string;
}

/** Builds {@link Fields} from the flat name, value, name, value … list that Redis answers with. @internal */
export function toFields(pairs: readonly string[]): Fields {
  const fields = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < pairs.length; index += 2) fields[pairs[index]!] = pairs[index + 1]!;
  return fields;
}

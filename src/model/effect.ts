import { outputValue, outputWords, type OutputRecord, type OutputValue } from "./output.js";
import { Write } from "./write.js";

/**
 * A change of a key beside the stream that happens if, and only if, an entry is acknowledged; for aggregates that count each
 * entry once. A closed union of data. Keys lie in the Cluster slot of the stream, such as `{orders}:totals`.
 * - `HashSet`: sets fields of a hash. `HashDelete`: removes some. `HashIncrement`: adds a whole number to a field.
 * - `CounterIncrement`: adds a whole number to a string, 1 by default.
 * - `SetAdd`, `SetRemove`: members of a set; 7000 at most, as the fields of `HashDelete`.
 * - `ScoreIncrement`: adds to the score of a member of a sorted set.
 * @public
 */
export type Effect =
  | { readonly _tag: "HashSet"; readonly key: string; readonly fields: OutputRecord }
  | { readonly _tag: "HashDelete"; readonly key: string; readonly fields: readonly string[] }
  | { readonly _tag: "HashIncrement"; readonly key: string; readonly field: string; readonly by: number | bigint }
  | { readonly _tag: "CounterIncrement"; readonly key: string; readonly by?: number | bigint }
  | { readonly _tag: "SetAdd" | "SetRemove"; readonly key: string; readonly members: readonly OutputValue[] }
  | { readonly _tag: "ScoreIncrement"; readonly key: string; readonly member: OutputValue; readonly by: number };

/** More values than a script can pass on; it would break off between two effects. */
const mostValues = 7_000;

/** What Redis can count, and take back. */
const mostBy = 2n ** 63n - 1n;

/** The command of an effect. @throws TypeError or RangeError for what is none @internal */
export function toWrite(effect: Effect): Write {
  const { _tag, key } = effect;
  switch (_tag) {
    case "HashSet":
      return write("HSET", key, outputWords("effects.fields", effect.fields));
    case "HashDelete":
      return write("HDEL", key, some("fields", effect.fields));
    case "HashIncrement":
      return write("HINCRBY", key, Array.of(outputValue("effects.field", effect.field), whole(effect.by)));
    case "CounterIncrement":
      return write("INCRBY", key, Array.of(whole(effect.by ?? 1)));
    case "SetAdd":
      return write("SADD", key, some("members", effect.members));
    case "SetRemove":
      return write("SREM", key, some("members", effect.members));
    case "ScoreIncrement":
      return write("ZINCRBY", key, Array.of(outputValue("effects.by", effect.by), outputValue("effects.member", effect.member)));
    default:
      throw new TypeError(`Expected an effect of a known kind, got \`_tag\` ${JSON.stringify(_tag)}`);
  }
}

function write(command: Write["command"], key: string, args: Write["args"]): Write {
  if (typeof key !== "string" || key === "") throw new TypeError("Expected `effects.key` to be the name of a key");
  return new Write(command, key, args);
}

function some(name: string, values: readonly OutputValue[]): Write["args"] {
  if (!(values instanceof Array) || values.length === 0)
    throw new TypeError(`Expected \`effects.${name}\` to be an array with something in it`);
  if (values.length > mostValues)
    throw new RangeError(
      `Expected \`effects.${name}\` to have ${mostValues} values at most, got ${values.length}: spread them over several effects`,
    );
  return values.map((value) => outputValue(`effects.${name}`, value));
}

function whole(by: number | bigint): string {
  if (typeof by === "bigint" ? by <= mostBy && by >= -mostBy : Number.isSafeInteger(by)) return String(by);
  throw new RangeError(`Expected \`effects.by\` to be a whole number of 64 bits, got ${String(by)}: count cents, not euros`);
}

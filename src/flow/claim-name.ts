import { createHash } from "node:crypto";
import { disown } from "../model/disown.js";

/** The longest key that is kept as it is. */
const longest = 128;

/**
 * What stands in Redis for a key: itself, or the hash of a long one. The first character keeps the two apart, so that no key
 * can be made that equals the hash of another.
 * @throws TypeError or RangeError for what is no key: with it, everything would be a repeat of the first entry
 * @internal
 */
export function claimName(key: string): string {
  disown(key);
  if (typeof key !== "string") throw new TypeError(`Expected \`key\` of dedupe to return a string, got ${typeof key}`);
  if (key === "") throw new RangeError("Expected `key` of dedupe to return a string that is not empty");
  return key.length <= longest ? `=${key}` : `#${createHash("sha256").update(key).digest("base64url")}`;
}

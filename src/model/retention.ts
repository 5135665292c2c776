import { flag, integer, relation } from "./check.js";
import { isEntryId } from "./entry-id.js";

/** What of a stream is kept. @internal */
export type Retention =
  | { readonly _tag: "maxLen"; readonly count: number; readonly exact: boolean }
  | { readonly _tag: "minId"; readonly id: string; readonly exact: boolean };

/** Keep the newest `maxLen` entries, or those from `minId` on; or neither. @public */
export type KeepOptions =
  | {
      /** How many entries to keep, 0 or more; the oldest go. */
      readonly maxLen: number;
      readonly minId?: undefined;
    }
  | {
      readonly maxLen?: undefined;
      /** Entries with lower ids go: `"<ms>-<seq>"`, `"<ms>"`, or a function that says it for each write. */
      readonly minId: string | (() => string);
    }
  | { readonly maxLen?: undefined; readonly minId?: undefined };

/**
 * Checks the options, and says what they mean at the moment of each write.
 * @throws RangeError or TypeError that names the option
 * @internal
 */
export function toRetention(keep: KeepOptions, exact: boolean): () => Retention | undefined {
  const { maxLen, minId }: { readonly maxLen?: number | undefined; readonly minId?: string | (() => string) | undefined } = keep; // as JavaScript may pass it
  flag("exact", exact);
  relation(maxLen === undefined || minId === undefined, "Expected one of `maxLen` and `minId`, got both");
  if (maxLen !== undefined) {
    const byLength: Retention = { _tag: "maxLen", count: integer("maxLen", maxLen, 0), exact };
    return () => byLength;
  }
  if (minId === undefined) return () => undefined;
  if (typeof minId === "function") return () => ({ _tag: "minId", id: firstKept(minId()), exact });
  const byId: Retention = { _tag: "minId", id: firstKept(minId), exact };
  return () => byId;
}

function firstKept(id: string): string {
  if (typeof id === "string" && (isEntryId(id) || isEntryId(`${id}-0`))) return id;
  throw new RangeError(`Expected \`minId\` to be "<ms>-<seq>" or "<ms>", got \`${id}\``);
}

/** As XADD and XTRIM want it: whole nodes at a time unless `exact`, which costs them next to nothing. @internal */
export function retentionWords(retention: Retention): readonly (string | number)[] {
  const how = retention.exact ? "=" : "~";
  return retention._tag === "maxLen" ? ["maxlen", how, retention.count] : ["minid", how, retention.id];
}

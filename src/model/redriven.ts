import type { DeadLetter } from "./dead-letter.js";
import type { EntryId } from "./entry-id.js";

/** What `redrive` needs of a dead letter. @public */
export type Redrivable = Pick<DeadLetter, "id" | "origin" | "firstFailedAt" | "hops">;

/**
 * Why a letter was left where it is: its group is gone; it is of another stream or group than was asked for; it was redriven too often; its
 * entry is gone and has more than 3500 fields; this library has not written it.
 * @public
 */
export type RefusalReason = "noGroup" | "otherGroup" | "tooManyHops" | "tooWide" | "unreadable";

/**
 * What became of a dead letter.
 * - `again`: its entry is pending in the group again, under its own id, and due.
 * - `added`: its entry was gone; it is in the stream anew, under this id, for that group alone. Without an id in a dry run.
 * - `absent`: there is no such letter any more; it was redriven before, or trimmed.
 * - `refused`: it was left where it is.
 * @public
 */
export type Redriven<L> = { readonly letter: L; readonly isDryRun: boolean } & (
  | { readonly _tag: "again" | "added"; readonly id: EntryId | undefined }
  | { readonly _tag: "absent" }
  | { readonly _tag: "refused"; readonly reason: RefusalReason }
);

/** What the script says of a letter. @internal */
export interface RedriveOutcome {
  readonly what: "again" | "added" | "absent" | "noGroup" | "tooWide";
  readonly id: EntryId | undefined;
}

/** @internal */
export function toRedriven<L>(letter: L, isDryRun: boolean, { what, id }: RedriveOutcome): Redriven<L> {
  switch (what) {
    case "again":
    case "added":
      return { _tag: what, letter, id, isDryRun };
    case "absent":
      return { _tag: what, letter, isDryRun };
    case "noGroup":
    case "tooWide":
      return { _tag: "refused", letter, reason: what, isDryRun };
  }
}

/**
 * The first field of an entry that was added again for one group alone; its value is the group's name. The script puts it there, and
 * sources take it off: the group it is for never sees it, and other groups acknowledge the entry away.
 * @internal
 */
export const redrivenField = "rxjs-redis-streams:redriven-for";

/** The group that an entry is for alone; undefined: it is for all. Asked of every entry, so it looks at a length first. @internal */
export function redrivenFor(pairs: readonly (string | Uint8Array)[]): string | undefined {
  const first = pairs[0];
  return first?.length === redrivenField.length && String(first) === redrivenField ? String(pairs[1]) : undefined;
}

import { EntryIdOrd, firstId, idBefore, type EntryId } from "./entry-id.js";

/** Where a stream begins and ends. @internal */
export interface StreamEdges {
  /** The last id the stream ever gave. */
  readonly lastGeneratedId: EntryId;
  /** Its first entry; undefined when it has none. */
  readonly first: EntryId | undefined;
  /** The greatest id that XDEL removed; trimming leaves no such trace. */
  readonly maxDeletedId: EntryId | undefined;
}

/**
 * What a reader finds when it comes back to a stream:
 * - `onward`: the stream goes on after where it was.
 * - `gap`: so it does, but entries after that are gone, or may be: they were deleted or trimmed before they were read.
 * - `behind`: the stream ends before where it was, or is not there. It was made anew, or lost its last entries.
 * @internal
 */
export type Resumption = "onward" | "gap" | "behind";

/**
 * @param after - an id that the stream had reached
 * @param edges - undefined: there is no stream
 * @internal
 */
export function resume(after: EntryId, edges: StreamEdges | undefined): Resumption {
  if (after === firstId) return "onward";
  if (edges === undefined || isBefore(edges.lastGeneratedId, after)) return "behind";
  return isBefore(after, edges.lastGeneratedId) && hasGap(after, edges) ? "gap" : "onward";
}

/** The first entry is the very next one where `after` was made from it; else it can't be told from one that has others before it. */
function hasGap(after: EntryId, { first, maxDeletedId }: StreamEdges): boolean {
  if (maxDeletedId !== undefined && isBefore(after, maxDeletedId)) return true;
  return first === undefined || (isBefore(after, first) && idBefore(first) !== after);
}

const isBefore = (one: EntryId, other: EntryId): boolean => EntryIdOrd.compare(one, other) < 0;

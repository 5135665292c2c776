import type { EntryId } from "./entry-id.js";

/** Whether entries of a key that come before this one wait in the group. @internal */
export interface OrderQuestion {
  readonly key: string;
  readonly id: EntryId;
  /** Those up to here are known. */
  readonly above: EntryId | undefined;
}

/** @internal */
export interface OrderAnswer {
  /** The entry itself was put back before. */
  readonly isMarked: boolean;
  /** Ms until the first of the earlier ones is due, 0 when nobody knows; undefined when there is none. */
  readonly waitsMs: number | undefined;
}

/** What happens to a key's waiting entries when some of it were settled for good. @internal */
export interface OrderStep {
  readonly key: string;
  readonly settled: readonly EntryId[];
  /** How many of those that wait may come now. */
  readonly count: number;
}

import type { EntryId } from "./entry-id.js";

/**
 * What a source is doing, or what healed. None of it is an error: the error channel is for what ends the pipeline.
 * @public
 */
export type SourceStatus =
  /** The subscription has begun; nothing has been read. */
  | { readonly _tag: "starting"; readonly streams: readonly string[]; readonly group: string; readonly consumer: string }
  /** Reading: for the first time, or again after another state. */
  | { readonly _tag: "reading"; readonly streams: readonly string[] }
  /** `maxInFlight` deliveries, or `maxInFlightBytes` of them, are unsettled; reading goes on when one is settled. */
  | { readonly _tag: "starved"; readonly unsettled: number; readonly unsettledBytes?: number | undefined }
  /** Redis can't be read; the next attempt is made in `delayMs`. */
  | { readonly _tag: "reconnecting"; readonly attempt: number; readonly delayMs: number; readonly cause: unknown }
  /** Entries that were pending and in nobody's hands are in flight again. */
  | { readonly _tag: "recovered"; readonly stream: string; readonly count: number; readonly from: RecoveredFrom }
  /** The group, or the whole stream, was gone; the group exists again and continues after `startId`. */
  | { readonly _tag: "groupRecreated"; readonly stream: string; readonly group: string; readonly startId: string }
  /** Another consumer got these before they were settled; their signals are aborted and they are not acknowledged. */
  | { readonly _tag: "leaseLost"; readonly stream: string; readonly ids: readonly EntryId[] }
  /** These were deleted or trimmed while pending; they are out of the group and were not handed on. */
  | { readonly _tag: "tombstone"; readonly stream: string; readonly ids: readonly EntryId[] }
  /**
   * The oldest delivery has been unsettled for `idleMs`: a slow handler, an operator that dropped it or, with a `cause`, a sink
   * that can't write and goes on trying.
   */
  | { readonly _tag: "stalled"; readonly unsettled: number; readonly oldest: EntryId; readonly idleMs: number; readonly cause?: unknown }
  /** No more is read; what is in flight is finished. */
  | { readonly _tag: "draining"; readonly unsettled: number }
  /** Over. `released` deliveries were handed back because they were not settled in time. */
  | { readonly _tag: "stopped"; readonly reason: "drained" | "unsubscribed" | "error"; readonly released: number };

/** `self`: a reply that got lost, or a former life; `retry`: a retry that was due; `stale`: a consumer whose lease ran out. @public */
export type RecoveredFrom = "self" | "retry" | "stale";

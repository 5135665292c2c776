import type { EntryId } from "./entry-id.js";
import type { SourceProgress } from "./progress.js";

/**
 * What a source is doing, or what healed. None of it is an error: the error channel is for what ends the pipeline.
 * @public
 */
export type SourceStatus =
  /** The subscription has begun; nothing has been read. */
  | {
      readonly _tag: "starting";
      readonly streams: readonly string[];
      /** Undefined for a source without a group. */
      readonly group: string | undefined;
      readonly consumer: string | undefined;
    }
  /** Reading: for the first time, or again after another state. */
  | { readonly _tag: "reading"; readonly streams: readonly string[] }
  /** The signs of life of a source, about once a second while it lives, and when it begins or ceases to work: what `health` goes by. */
  | ({ readonly _tag: "progress" } & SourceProgress)
  /** `maxInFlight` deliveries, or `maxInFlightBytes` of them, are unsettled; reading goes on when one is settled. */
  | { readonly _tag: "starved"; readonly unsettled: number; readonly unsettledBytes?: number | undefined }
  /** Redis can't be read; the next attempt is made in `delayMs`. */
  | { readonly _tag: "reconnecting"; readonly attempt: number; readonly delayMs: number; readonly cause: unknown }
  /** With `reader: "auto"` or `"fast"`: ioredis decodes replies nevertheless, which is slower, for this reason. Told once by each reader. */
  | { readonly _tag: "readerFellBack"; readonly reason: string }
  /** Entries that were pending and in nobody's hands are in flight again. */
  | { readonly _tag: "recovered"; readonly stream: string; readonly count: number; readonly from: RecoveredFrom }
  /** The group did not exist, and begins after `startId`. */
  | { readonly _tag: "groupCreated"; readonly stream: string; readonly group: string; readonly startId: string }
  /** The group, or the whole stream, was gone; the group exists again and continues after `startId`. */
  | { readonly _tag: "groupRecreated"; readonly stream: string; readonly group: string; readonly startId: string }
  /** Without a group: entries after `after` are gone, or may be. They were deleted or trimmed before they were read. */
  | { readonly _tag: "gap"; readonly stream: string; readonly after: EntryId; readonly first: EntryId | undefined }
  /**
   * Without a group: the stream ends before `from`, where the source was. It was deleted, made anew, or lost its last entries in a
   * failover; reading goes on after `after`, an earlier checkpoint or the beginning.
   */
  | { readonly _tag: "rewound"; readonly stream: string; readonly from: EntryId; readonly after: EntryId }
  /** Another consumer got these before they were settled; their signals are aborted and they are not acknowledged. */
  | { readonly _tag: "leaseLost"; readonly stream: string; readonly ids: readonly EntryId[] }
  /** Leases could not be renewed, and are tried again in time; after two more failures others may claim what is in flight. */
  | { readonly _tag: "renewalFailed"; readonly stream: string; readonly count: number; readonly cause: unknown }
  /** These were pending for nobody, because the group or the consumer was made anew, and are pending again. */
  | { readonly _tag: "adopted"; readonly stream: string; readonly ids: readonly EntryId[] }
  /** A walk through the pending entries found something to take over, or took more than one step. */
  | { readonly _tag: "swept"; readonly stream: string; readonly taken: number; readonly steps: number; readonly tookMs: number }
  /** These were deleted or trimmed while pending; they are out of the group and were not handed on. */
  | { readonly _tag: "tombstone"; readonly stream: string; readonly ids: readonly EntryId[] }
  /**
   * The oldest delivery has been unsettled for `idleMs`: a slow handler, an operator that dropped it or, with a `cause`, a sink
   * that can't write and goes on trying. Unless NODE_ENV is `"production"`, `lastSeen` says where it was seen last: `entering
   * retryToDLQ (2nd operator)` is in there still, `leaving decode (1st operator)` was held or dropped by what comes next.
   */
  | {
      readonly _tag: "stalled";
      readonly unsettled: number;
      readonly oldest: EntryId;
      readonly idleMs: number;
      readonly cause?: unknown;
      readonly lastSeen?: string;
    }
  /** No more is read; what is in flight is finished. */
  | { readonly _tag: "draining"; readonly unsettled: number }
  /** Over. `released` deliveries were handed back because they were not settled in time. */
  | { readonly _tag: "stopped"; readonly reason: "drained" | "unsubscribed" | "error"; readonly released: number };

/** `self`: a reply that got lost, or a former life; `retry`: a retry that was due; `stale`: a consumer whose lease ran out. @public */
export type RecoveredFrom = "self" | "retry" | "stale";

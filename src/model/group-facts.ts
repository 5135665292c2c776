import type { EntryId } from "./entry-id.js";
import type { ConsumerInfo, GroupInfo } from "./group-info.js";
import type { UnreadCount } from "./lag.js";
import type { PendingEntry } from "./pending.js";

/** A stream as XINFO STREAM describes it. @internal */
export interface StreamInfo {
  readonly length: number;
  /** How many were ever added; undefined where the server does not say. */
  readonly entriesAdded: number | undefined;
  /** The first and the last entry there is; undefined when there is none. */
  readonly ends: { readonly first: EntryId; readonly last: EntryId } | undefined;
  /** The size of the larger of these two, in characters. */
  readonly entryBytes: number;
}

/** A stream and its groups at a moment. @internal */
export interface StreamOverview {
  /** The server's clock, ms since the epoch. */
  readonly at: number;
  /** Undefined when there is no such key. */
  readonly stream: StreamInfo | undefined;
  readonly groups: readonly GroupInfo[];
}

/** What belongs to one group; empty where it is missing. @internal */
export interface GroupDetails {
  readonly consumers: readonly ConsumerInfo[];
  /** The first rows of the PEL, by id. */
  readonly pending: readonly PendingEntry[];
  readonly retriesWaiting: number;
  /** When the first of them is due, by the server's clock in ms. */
  readonly nextRetryAt: number | undefined;
  readonly deadLetters: number;
}

/** All that a snapshot is made of. @internal */
export interface GroupFacts {
  readonly at: number;
  readonly stream: StreamInfo | undefined;
  readonly group: GroupInfo | undefined;
  readonly details: GroupDetails;
  readonly unread: UnreadCount;
}

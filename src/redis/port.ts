import type { Observable, ObservableInput } from "rxjs";
import type { EntryId } from "../model/entry-id.js";

/**
 * The narrow port to Redis Streams: everything the library asks of a server, in its own words. Names of streams are the
 * user's; which keys stand behind them is the port's affair. Answers are `ObservableInput`s: promises from a server,
 * virtual time in a marble test.
 * @internal
 */
export interface StreamsPort {
  /** A connection that is never blocked; it reconnects by itself. */
  openCommands(): StreamCommands;
  /** A connection for one blocked read at a time; when it breaks, it is thrown away. */
  openReader(): StreamReader;
  /** Streams that one command may read together: one list per Cluster slot, or a single one. */
  together(streams: readonly string[]): readonly (readonly string[])[];
}

/** A group of a stream. @internal */
export interface GroupRef {
  readonly stream: string;
  readonly group: string;
}

/** A consumer of a group. @internal */
export interface ConsumerRef extends GroupRef {
  readonly consumer: string;
}

/** An entry as Redis answers it; `null` when it was deleted while pending. @internal */
export type RawEntry = readonly [id: EntryId, pairs: readonly string[] | null];

/** @internal */
export interface StreamPage {
  readonly stream: string;
  readonly entries: readonly RawEntry[];
}

/** An entry that was taken over, with its delivery count after that. @internal */
export type TakenEntry = readonly [id: EntryId, pairs: readonly string[], deliveryCount: number];

/** @internal */
export interface TakenPage {
  readonly entries: readonly TakenEntry[];
  /** Deleted or trimmed while pending; acked away. */
  readonly deleted: readonly EntryId[];
}

/** @internal */
export interface DuePage extends TakenPage {
  /** Ms until the next retry of the group is due; undefined when none waits. */
  readonly nextDueMs: number | undefined;
}

/** Where a scan of the PEL goes on; `"-"` is its beginning. @internal */
export type PendingCursor = string;

/** @internal */
export interface IdleRequest {
  readonly max: number;
  readonly minIdleMs: number;
  /** Only this consumer's; undefined: anybody's but the caller's. */
  readonly owner?: string;
  readonly cursor: PendingCursor;
  readonly leaveAlone?: readonly EntryId[];
}

/** @internal */
export interface IdlePage extends TakenPage {
  /** Undefined when the scan has reached the end of the PEL. */
  readonly cursor: PendingCursor | undefined;
  /** The caller's own entries that were idle for so long; they are not taken, they may be in flight. */
  readonly mine: readonly EntryId[];
}

/** One decision, as the settle script takes it. @internal */
export type Decision =
  | { readonly verb: "ack" | "release"; readonly id: EntryId }
  | { readonly verb: "retry"; readonly id: EntryId; readonly delayMs: number }
  | { readonly verb: "dead"; readonly id: EntryId; readonly note: string; readonly pairs: readonly string[] };

/** What an acknowledgement does to the entry itself. @internal */
export type AckMode = "ack" | "ackAndDelete";

/** @internal */
export interface SettleRequest {
  readonly mode: AckMode;
  readonly deadLetterStream: string | undefined;
  readonly decisions: readonly Decision[];
}

/** `failed` leaves the entry pending. @internal */
export type SettleOutcome =
  { readonly _tag: "done" } | { readonly _tag: "notPending" } | { readonly _tag: "failed"; readonly error: Error };

/** @internal */
export interface StreamCommands {
  /** XGROUP CREATE … MKSTREAM; true when it was made now, false when it was there. */
  createGroup(ref: GroupRef, startId: string): ObservableInput<boolean>;
  /** The id of the stream's last entry ever added; undefined when there is no such key. */
  lastGeneratedId(stream: string): ObservableInput<EntryId | undefined>;
  /** One XACK; how many of them were pending. No check of the owner. */
  ack(ref: GroupRef, ids: readonly EntryId[]): ObservableInput<number>;
  /** All decisions in one atomic step per chunk; an outcome each, in order. */
  settle(ref: ConsumerRef, request: SettleRequest): ObservableInput<readonly SettleOutcome[]>;
  /** Takes retries that are due, `max` at most; 0 only looks when the next one is. */
  takeDue(ref: ConsumerRef, max: number): ObservableInput<DuePage>;
  /** Takes entries that are idle, from one page of the PEL. */
  takeIdle(ref: ConsumerRef, request: IdleRequest): ObservableInput<IdlePage>;
  /** Renews leases; answers those that are not this consumer's any more, and those that were deleted. */
  renew(
    ref: ConsumerRef,
    ids: readonly EntryId[],
  ): ObservableInput<{ readonly lost: readonly EntryId[]; readonly deleted: readonly EntryId[] }>;
  /** Hands back all that is pending for the consumer, and removes the consumer when asked and empty; how many were handed back. */
  leave(ref: ConsumerRef, options: LeaveOptions): ObservableInput<number>;
  /** A page of a group's dead-letter stream after an id. */
  deadLetters(
    ref: GroupRef,
    request: { readonly stream: string | undefined; readonly after: EntryId | undefined; readonly count: number },
  ): ObservableInput<readonly RawEntry[]>;
  /** Emits when the connection broke: the answer to a command, and with it entries that were taken, may be lost. */
  readonly broken: Observable<void>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** @internal */
export interface LeaveOptions {
  readonly remove: boolean;
  readonly leaveAlone: readonly EntryId[];
}

/** @internal */
export interface ReadRequest {
  readonly group: string;
  readonly consumer: string;
  readonly streams: readonly string[];
  /** Entries per stream at most; 1 or more. */
  readonly count: number;
  /** Undefined: do not block. */
  readonly blockMs: number | undefined;
}

/** @internal */
export interface StreamReader {
  /** XREADGROUP … `>`; an empty list when nothing came. Errors when the connection broke: entries may be pending then. */
  read(request: ReadRequest): ObservableInput<readonly StreamPage[]>;
  /** Drops the connection; completes when the server has noticed, or soon after. */
  close(): ObservableInput<void>;
}

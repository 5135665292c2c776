import type { Observable, ObservableInput } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { GroupDetails, StreamOverview } from "../model/group-facts.js";
import type { ClaimedKey } from "../model/claim.js";
import type { ConsumerInfo, GroupInfo } from "../model/group-info.js";
import type { UnreadCount } from "../model/lag.js";
import type { Payload } from "../model/payload.js";
import type { ReaderKind } from "../model/reader-kind.js";
import type { OrderAnswer, OrderQuestion, OrderStep } from "../model/order.js";
import type { PendingEntry, PendingSummary } from "../model/pending.js";
import type { Redrivable, RedriveOutcome } from "../model/redriven.js";
import type { Retention } from "../model/retention.js";
import type { Word } from "../model/append-fields.js";
import type { StreamEdges } from "../model/resume.js";
import type { RawPairs } from "../model/raw-pairs.js";
import type { Grant, WindowLimit } from "../model/sliding-window.js";
import type { Write } from "../model/write.js";

/**
 * The narrow port to Redis Streams: everything the library asks of a server, in its own words. Names of streams are the
 * user's; which keys stand behind them is the port's affair. Answers are `ObservableInput`s: promises from a server,
 * virtual time in a marble test.
 * @internal
 */
export interface StreamsPort {
  /** A connection that is never blocked; it reconnects by itself. `payload`: as what entries come, text by default. */
  openCommands(payload?: Payload): StreamCommands;
  /** A connection for blocked reads; when it breaks, it is thrown away. */
  openReader(options?: ReaderOptions): StreamReader;
  /** A connection for adding entries; never blocked, and it reconnects by itself. */
  openAppends(): StreamAppends;
  /** A connection for looking at groups and changing them; never blocked, and it reconnects by itself. */
  openAdmin(): StreamAdmin;
  /** A connection for watching, to a master; never blocked. */
  openInspection(): StreamInspection;
  /** A connection for what sources without a group ask; never blocked, and it reconnects by itself. */
  openHistory(payload?: Payload): StreamHistory;
  /** A connection for counting what passes a limit; never blocked, and it reconnects by itself. */
  openPermits(): StreamPermits;
  /** Streams of one place may be read together by one command: a Cluster slot, or the one server there is. */
  readonly placeOf: (stream: string) => number;
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

/** An entry as Redis answers it, `null` when it was deleted while pending; with its delivery count where the reply says it. @internal */
export type RawEntry = readonly [id: EntryId, pairs: RawPairs | null, deliveryCount?: number];

/** @internal */
export interface StreamPage {
  readonly stream: string;
  readonly entries: readonly RawEntry[];
  /** How many of them, from the first on, were pending and are claimed. @defaultValue none */
  readonly claimed?: number;
}

/** What is to become of claimed entries. @internal */
export interface ClaimVerdict {
  /** Retries that were due. */
  readonly retries: readonly EntryId[];
  /** Left unsettled by a consumer for a lease's time. */
  readonly stale: readonly EntryId[];
  /** How many wait for a retry that is not due, and were put back. */
  readonly waiting: number;
}

/** An entry that was taken over, with its delivery count after that. @internal */
export type TakenEntry = readonly [id: EntryId, pairs: RawPairs, deliveryCount: number];

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
  /** False for what this process was sent and never saw: it is not a delivery more. @defaultValue `true` */
  readonly counts?: boolean;
}

/** @internal */
export interface IdlePage extends TakenPage {
  /** Undefined when the scan has reached the end of the PEL. */
  readonly cursor: PendingCursor | undefined;
  /** The caller's own entries that were idle for so long; they are not taken, they may be in flight. */
  readonly mine: readonly EntryId[];
}

/** One decision, as the settle script takes it, with what is done in the same atomic step. @internal */
export type Decision = Alongside &
  (
    | { readonly verb: "ack"; readonly id: EntryId }
    /** `lookIdleMs`: how idle it is to look meanwhile, so that a read that claims finds it when it is due. */
    | { readonly verb: "release"; readonly id: EntryId; readonly delayMs?: number | undefined; readonly lookIdleMs?: number | undefined }
    | { readonly verb: "retry"; readonly id: EntryId; readonly delayMs: number; readonly lookIdleMs?: number | undefined }
    | { readonly verb: "dead"; readonly id: EntryId; readonly note: string; readonly pairs: RawPairs }
  );

/** @internal */
export interface Alongside {
  /** Written with an ack, all of them or none. */
  readonly writes?: readonly Write[] | undefined;
  /** Keys of dedupe: done with an ack, given back with any other decision. */
  readonly claims?: readonly ClaimedKey[] | undefined;
  /** Of a retry or release: later entries of its keys are to wait for it. */
  readonly marks?: readonly string[] | undefined;
}

/** What became of the wish to handle a key of dedupe. @internal */
export type ClaimAnswer =
  | { readonly _tag: "taken" | "claimed" }
  /** Handled, and known for so long; -1: for ever. */
  | { readonly _tag: "done"; readonly forMs: number };

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
  /** Claims keys of dedupe, or renews such claims, for `claimMs`; an answer each, in order. */
  claim(ref: GroupRef, claims: readonly ClaimedKey[], how: "take" | "renew", claimMs: number): ObservableInput<readonly ClaimAnswer[]>;
  /** Takes retries that are due, `max` at most; 0 only looks when the next one is. */
  takeDue(ref: ConsumerRef, max: number): ObservableInput<DuePage>;
  /** Ms until the next retry of the group is due, for each stream; undefined where none waits. The streams are of one place. */
  nextDue(streams: readonly string[], group: string): ObservableInput<readonly (number | undefined)[]>;
  /** Tells what may be kept of entries that a read has just claimed; the rest, and those `inFlight` here, are put back as they were. */
  confirmClaims(ref: ConsumerRef, ids: readonly EntryId[], inFlight: readonly EntryId[]): ObservableInput<ClaimVerdict>;
  /** Takes entries that are idle, from one page of the PEL. */
  takeIdle(ref: ConsumerRef, request: IdleRequest): ObservableInput<IdlePage>;
  /** Renews leases, and tells apart those that could not be renewed. */
  renew(ref: ConsumerRef, ids: readonly EntryId[]): ObservableInput<Renewal>;
  /** Makes entries pending again that are pending for nobody; answers those. */
  adopt(ref: ConsumerRef, ids: readonly EntryId[]): ObservableInput<readonly EntryId[]>;
  /** Every entry that waits for a retry, in pages. */
  scheduled(ref: GroupRef): ObservableInput<readonly EntryId[]>;
  /** Whether earlier entries of a key wait, an answer per question. */
  earlier(ref: GroupRef, questions: readonly OrderQuestion[]): ObservableInput<readonly OrderAnswer[]>;
  /** Forgets what was settled of a key and makes due what waited for it; how many that is. */
  forward(ref: GroupRef, steps: readonly OrderStep[]): ObservableInput<number>;
  /** Hands back all that is pending for the consumer, and removes the consumer when asked and empty; how many were handed back. */
  leave(ref: ConsumerRef, options: LeaveOptions): ObservableInput<number>;
  /** A page of a group's dead-letter stream after an id. */
  deadLetters(
    ref: GroupRef,
    request: { readonly stream: string | undefined; readonly after: EntryId | undefined; readonly count: number },
  ): ObservableInput<readonly RawEntry[]>;
  /** Emits when the connection broke: the answer to a command, and with it entries that were taken, may be lost. */
  readonly broken: Observable<Outage>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** What became of leases that were to be renewed; those in no list are. @internal */
export interface Renewal {
  /** Another consumer's. */
  readonly lost: readonly EntryId[];
  /** Trimmed while pending; acked away. */
  readonly deleted: readonly EntryId[];
  /** Pending for nobody: the group, or the consumer, was made anew. */
  readonly absent: readonly EntryId[];
}

/** A connection that broke, or could not be made. @internal */
export interface Outage {
  readonly attempt: number;
  /** When the next attempt is made, ms. */
  readonly delayMs: number;
  readonly cause: unknown;
}

/** @internal */
export interface LeaveOptions {
  /** Whether to remove the consumer, when nothing is left of it. */
  readonly remove: boolean;
  /** Hand back these alone; undefined: everything. */
  readonly only?: readonly EntryId[];
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
  /** Claim what is pending for anybody and was idle for so long, too, where the server can. @defaultValue only new entries */
  readonly claimIdleMs?: number | undefined;
}

/** @internal */
export interface ReaderOptions {
  /** As what entries come. @defaultValue `"string"` */
  readonly payload?: Payload;
  /** @defaultValue `"auto"` */
  readonly reader?: ReaderKind;
  /** Told when something is decoded the portable way although another was allowed, and why; more than once. */
  readonly fellBack?: (reason: string) => void;
}

/** @internal */
export interface TailRequest {
  readonly stream: string;
  readonly after: EntryId;
  readonly count: number;
  readonly blockMs: number;
}

/** @internal */
export interface StreamReader {
  /** Whether the server has been seen to claim in a read. */
  readonly claims: boolean;
  /** XREADGROUP … `>`; an empty list when nothing came. Errors when the connection broke: entries may be pending then. */
  read(request: ReadRequest): ObservableInput<readonly StreamPage[]>;
  /** XREAD; an empty list when nothing came. */
  tail(request: TailRequest): ObservableInput<readonly RawEntry[]>;
  /** Drops the connection; completes when the server has noticed, or soon after. */
  close(): ObservableInput<void>;
}

/** An entry to be. @internal */
export interface NewEntry {
  /** What makes it the same as an entry that was added before; undefined: nothing does. */
  readonly key: string | undefined;
  readonly pairs: readonly Word[];
}

/** @internal */
export interface AppendRequest {
  readonly entries: readonly NewEntry[];
  readonly retention: Retention | undefined;
  readonly onMissingStream: "create" | "fail";
  /** How long keys are remembered, ms. */
  readonly rememberMs: number;
}

/** @internal */
export interface StreamAppends {
  /**
   * Adds entries to one stream, in order, and stops at the first that can't be added. Emits the ids of those before it; none: there
   * is no such stream. Errors when not even the first could be added.
   */
  append(stream: string, request: AppendRequest): ObservableInput<readonly EntryId[]>;
  /** Emits when the connection broke: the answer to a command may be lost, and it is sent again. */
  readonly broken: Observable<Outage>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** What sources without a group ask of a stream, and where they keep how far they are. @internal */
export interface StreamHistory {
  /** XRANGE, or XREVRANGE. */
  range(stream: string, request: RangeRequest): ObservableInput<readonly RawEntry[]>;
  /** Where the stream begins and ends; undefined when there is no such key. */
  edges(stream: string): ObservableInput<StreamEdges | undefined>;
  /** Undefined when none is stored. */
  checkpoint(ref: CheckpointRef): ObservableInput<EntryId | undefined>;
  /** Moves it forward, or away from `insteadOf` in any direction; where it is then. */
  moveCheckpoint(ref: CheckpointRef, id: EntryId, insteadOf?: EntryId): ObservableInput<EntryId>;
  /** Emits when the connection broke. */
  readonly broken: Observable<Outage>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** How far a reader of a stream is. @internal */
export interface CheckpointRef {
  readonly stream: string;
  readonly name: string;
}

/** @internal */
export interface RangeRequest {
  /** The lower bound, in either direction. */
  readonly start: string;
  readonly end: string;
  readonly count: number;
  /** Whether to begin at `end`. */
  readonly reverse: boolean;
}

/** Where a group is, and how many entries it has been given by then, where the caller knows. @internal */
export interface GroupStart {
  readonly id: string;
  readonly entriesRead: number | undefined;
}

/** A page of XPENDING. @internal */
export interface PendingRequest {
  /** Undefined: everybody's. */
  readonly consumer: string | undefined;
  /** `"-"`, an id, or `"(id"` to go on after one. */
  readonly start: string;
  /** `"+"`, or an id. */
  readonly end: string;
  readonly count: number;
}

/** What became of one page of a consumer's deletion; `more` asks for the next one. @internal */
export type DeletionStep =
  { readonly _tag: "deleted" | "absent" | "more"; readonly moved: number } | { readonly _tag: "refused"; readonly pending: number };

/** @internal */
export interface TrimRequest {
  /** Undefined: no group is dead. */
  readonly deadGroupAfterMs: number | undefined;
  /** Only look. */
  readonly isDryRun: boolean;
}

/** One step of removing what all groups have acknowledged. @internal */
export interface TrimStep {
  readonly removed: number;
  /** The first id that is kept; undefined: nothing may go. */
  readonly keepFrom: EntryId | undefined;
  /** The group that needs it; undefined: none does. */
  readonly heldBy: string | undefined;
  /** Groups that need what goes and were not waited for. */
  readonly deadGroups: readonly string[];
}

/** A page of counting; `cursor` asks for the next one. @internal */
export interface CountPage {
  readonly count: number;
  readonly cursor: string | undefined;
}

/** @internal */
export interface RedriveRequest {
  readonly deadLetterStream: string | undefined;
  readonly letters: readonly Redrivable[];
  /** Only look. */
  readonly isDryRun: boolean;
}

/** Groups as data. A group or stream that is missing is an answer here and never an error. @internal */
export interface StreamAdmin {
  /** XGROUP CREATE … MKSTREAM; true when it was made now, false when it was there. */
  createGroup(ref: GroupRef, start: GroupStart): ObservableInput<boolean>;
  /** XGROUP SETID; false when there is no such group. */
  setGroupPosition(ref: GroupRef, start: GroupStart): ObservableInput<boolean>;
  /** Removes the group, its retry schedule, and its dead letters when asked; false when there was no such group. */
  destroyGroup(ref: GroupRef, deadLetters: "keep" | "delete"): ObservableInput<boolean>;
  /** Removes the consumer, if it owns nothing; moves a page of what it owns to another before, when there is one. */
  deleteConsumer(ref: ConsumerRef, moveTo: string | undefined): ObservableInput<DeletionStep>;
  /** Removes some of the consumers that own nothing and were idle for so long; their names, none when no more are left. */
  pruneConsumers(ref: GroupRef, idleMs: number): ObservableInput<readonly string[]>;
  /** Removes some of the oldest entries that every live group has acknowledged; none are left when it removed none. */
  trimAcked(stream: string, request: TrimRequest): ObservableInput<TrimStep>;
  /** Counts entries below an id, a page at a time. */
  countBefore(stream: string, id: EntryId, cursor: string): ObservableInput<CountPage>;
  /** XTRIM, some entries at a time; how many went, 0 when it is done. */
  trim(stream: string, retention: Retention): ObservableInput<number>;
  /** Takes dead letters back to their group; an outcome each, of all or of those before the first that can't be written. */
  redrive(ref: GroupRef, request: RedriveRequest): ObservableInput<readonly RedriveOutcome[]>;
  /** XINFO GROUPS. */
  listGroups(stream: string): ObservableInput<readonly GroupInfo[]>;
  /** XINFO CONSUMERS. */
  listConsumers(ref: GroupRef): ObservableInput<readonly ConsumerInfo[]>;
  /** XPENDING with a range. */
  pendingPage(ref: GroupRef, request: PendingRequest): ObservableInput<readonly PendingEntry[]>;
  /** XPENDING without one. */
  pendingSummary(ref: GroupRef): ObservableInput<PendingSummary>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** What a watcher asks; it changes nothing. A stream or group that is missing is an answer here and never an error. @internal */
export interface StreamInspection {
  /** The clock, the stream and its groups: TIME, XINFO STREAM, XINFO GROUPS. */
  overview(stream: string): ObservableInput<StreamOverview>;
  /** One group's own: XINFO CONSUMERS, a page of XPENDING, ZCARD and ZRANGE of its retries, XLEN of its dead letters. */
  details(ref: GroupRef, request: DetailsRequest): ObservableInput<GroupDetails>;
  /** Counts the entries after an id, `max` at most: XRANGE, in pages. */
  countAfter(stream: string, id: EntryId, max: number): ObservableInput<UnreadCount>;
  /** Emits when the connection broke. */
  readonly broken: Observable<Outage>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

/** @internal */
export interface DetailsRequest {
  /** Undefined: the one beside the stream. */
  readonly deadLetterStream: string | undefined;
  /** Rows of XPENDING at most. */
  readonly rows: number;
}

/** What wants to pass a limit that consumers share. @internal */
export interface PermitRequest {
  /** Undefined: the one beside the stream, of this group and limit. */
  readonly key: string | undefined;
  readonly limit: WindowLimit;
  /** 1 or more. */
  readonly wanted: number;
}

/** @internal */
export interface StreamPermits {
  /** Counts as many as may pass now, in one atomic step on the server's clock. */
  take(ref: GroupRef, request: PermitRequest): ObservableInput<Grant>;
  /** Emits when the connection broke. */
  readonly broken: Observable<Outage>;
  /** Ends the connection when what was sent has been answered, or soon after. */
  close(): void;
}

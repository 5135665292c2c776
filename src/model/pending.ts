import type { EntryId } from "./entry-id.js";

/** An entry that was delivered to a group and is not acknowledged, as XPENDING shows it. @public */
export interface PendingEntry {
  readonly _tag: "PendingEntry";
  readonly id: EntryId;
  /** Who owns it; undefined when XNACK (Redis 8.8) took it from its owner, and anybody may claim it at once. */
  readonly consumer: string | undefined;
  /** Ms since it was delivered, claimed or renewed, by the server's clock; `Infinity` without an owner. */
  readonly idleMs: number;
  /** Redis' own count; `Number.MAX_SAFE_INTEGER` stands for that and more, as XNACK FATAL sets it. */
  readonly deliveryCount: number;
}

/** The end of one scan of a repeated `fromPending`. @public */
export interface PendingSnapshot {
  readonly _tag: "PendingSnapshot";
  /** How many entries this scan has emitted. */
  readonly count: number;
  /** When it ended, ms since the epoch by the clock of this process. */
  readonly at: number;
}

/** What is pending in a group, counted. @public */
export interface PendingSummary {
  readonly count: number;
  /** The least id that is pending; undefined when none is. */
  readonly lowest: EntryId | undefined;
  /** The greatest id that is pending; undefined when none is. */
  readonly highest: EntryId | undefined;
  /** How many each consumer owns; those that own nothing are not in it. Entries without an owner are in `count` alone. */
  readonly consumers: ReadonlyMap<string, number>;
}

/** The words of XPENDING for an entry that nobody owns. */
const nobodysIdle = -1;

/** Reads the numbers of a row of XPENDING as what they mean. @internal */
export function toPendingEntry(id: EntryId, consumer: string, idleMs: number, deliveryCount: number): PendingEntry {
  const isOwned = idleMs !== nobodysIdle;
  return {
    _tag: "PendingEntry",
    id,
    consumer: isOwned ? consumer : undefined,
    idleMs: isOwned ? idleMs : Infinity,
    deliveryCount: Math.min(deliveryCount, Number.MAX_SAFE_INTEGER),
  };
}

import * as O from "fp-ts/lib/Option.js";
import { entryTime, type EntryId } from "./entry-id.js";
import type { GroupFacts } from "./group-facts.js";
import type { ConsumerInfo } from "./group-info.js";
import { lagOf, type Lag, type LagSource } from "./lag.js";
import type { PendingEntry } from "./pending.js";
import { ratesBetween, type GroupRates } from "./rates.js";
import { verdict, type GroupPresence, type Verdict } from "./verdict.js";

/** How often the pending entries were delivered. @public */
export interface DeliveryHistogram {
  /** How many entries were delivered so many times, by that number. */
  readonly byCount: ReadonlyMap<number, number>;
  /** False when the group has more pending entries than were looked at: these are the oldest by id. */
  readonly isComplete: boolean;
}

/**
 * A group at a moment, by the server's clock. What is missing is said by `presence`; its numbers are then 0 or none, while retries and
 * dead letters, which outlive a group, are still counted.
 * @public
 */
export interface GroupSnapshot {
  readonly stream: string;
  readonly group: string;
  /** The server's clock, ms since the epoch. */
  readonly at: number;
  readonly presence: GroupPresence;
  /** How many entries the stream holds. */
  readonly length: number;
  /** How many entries the group has not been given; none when that is not known, which is never the same as 0: see `lagSource`. */
  readonly lag: O.Option<number>;
  readonly lagSource: LagSource;
  /** How many entries were ever added to the stream. */
  readonly entriesAdded: O.Option<number>;
  /** How many the group was given, as Redis counts; none when it does not know. */
  readonly entriesRead: O.Option<number>;
  /** The group's position. */
  readonly lastDeliveredId: O.Option<EntryId>;
  /** How many entries are delivered and not acknowledged. */
  readonly pending: number;
  /** The pending entry with the least id. */
  readonly oldestPendingId: O.Option<EntryId>;
  /** Ms since that entry was added, by the time in its id. */
  readonly oldestPendingAgeMs: O.Option<number>;
  /** Ms since that entry was last delivered, claimed or renewed; none when nobody owns it. */
  readonly oldestPendingIdleMs: O.Option<number>;
  /** How many of the pending entries wait for a retry. */
  readonly retriesWaiting: number;
  /** Ms until the first of them is due; negative when it is overdue. */
  readonly nextRetryInMs: O.Option<number>;
  /** How many entries the dead-letter stream holds. */
  readonly deadLetters: number;
  readonly consumers: readonly ConsumerInfo[];
  /** Since the snapshot before. */
  readonly rates: GroupRates;
  readonly deliveries: DeliveryHistogram;
  readonly verdict: Verdict;
}

/** Rows of XPENDING that a snapshot looks at. @internal */
export const pendingRows = 1_000;

/** The snapshots a verdict is based on, oldest first; the newest is the last of them. @internal */
export interface Observed {
  readonly window: readonly GroupSnapshot[];
  readonly newest: GroupSnapshot;
}

/** Takes a snapshot of what was found, after those before it; keeps `size` of them, 2 or more. @internal */
export function observe(
  window: readonly GroupSnapshot[],
  ref: { readonly stream: string; readonly group: string },
  facts: GroupFacts,
  size: number,
): Observed {
  const sight = sightOf(ref, facts);
  const before = window.slice(1 - size);
  const newest = { ...sight, rates: ratesBetween(window.at(-1), sight), verdict: verdict([...before, sight], size) };
  return { window: [...before, newest], newest };
}

function sightOf({ stream, group }: { stream: string; group: string }, facts: GroupFacts): Omit<GroupSnapshot, "rates" | "verdict"> {
  const { at, details } = facts;
  return {
    stream,
    group,
    at,
    presence: facts.stream === undefined ? "noStream" : facts.group === undefined ? "noGroup" : "group",
    length: facts.stream?.length ?? 0,
    ...lagIn(facts),
    entriesAdded: O.fromNullable(facts.stream?.entriesAdded),
    entriesRead: facts.group?.entriesRead ?? O.none,
    lastDeliveredId: O.fromNullable(facts.group?.lastDeliveredId),
    pending: facts.group?.pending ?? 0,
    ...oldestOf(details.pending[0], at),
    retriesWaiting: details.retriesWaiting,
    nextRetryInMs: O.fromNullable(details.nextRetryAt === undefined ? undefined : details.nextRetryAt - at),
    deadLetters: details.deadLetters,
    consumers: details.consumers,
    deliveries: histogram(details.pending, facts.group?.pending ?? 0),
  };
}

function lagIn({ stream, group, unread }: GroupFacts): Lag {
  if (stream === undefined || group === undefined) return { lag: O.none, lagSource: "unknown" };
  return lagOf({ ...stream, lastDelivered: group.lastDeliveredId, reported: O.toUndefined(group.lag) }, unread);
}

function oldestOf(
  entry: PendingEntry | undefined,
  at: number,
): Pick<GroupSnapshot, "oldestPendingId" | "oldestPendingAgeMs" | "oldestPendingIdleMs"> {
  if (entry === undefined) return { oldestPendingId: O.none, oldestPendingAgeMs: O.none, oldestPendingIdleMs: O.none };
  return {
    oldestPendingId: O.some(entry.id),
    oldestPendingAgeMs: O.some(Math.max(0, at - entryTime(entry.id))),
    oldestPendingIdleMs: Number.isFinite(entry.idleMs) ? O.some(entry.idleMs) : O.none,
  };
}

function histogram(rows: readonly PendingEntry[], pending: number): DeliveryHistogram {
  const byCount = new Map<number, number>();
  for (const { deliveryCount } of rows) byCount.set(deliveryCount, (byCount.get(deliveryCount) ?? 0) + 1);
  return { byCount, isComplete: rows.length >= pending };
}

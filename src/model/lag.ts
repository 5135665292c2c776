import * as O from "fp-ts/lib/Option.js";
import { EntryIdOrd, type EntryId } from "./entry-id.js";

/**
 * Where a lag comes from. `redis`: as XINFO GROUPS gives it, and nothing speaks against it. `counted`: Redis does not know it or
 * has it wrong, the stream's length or its unread entries gave it. `unknown`: neither; there are unread entries, more than were counted.
 * @public
 */
export type LagSource = "redis" | "counted" | "unknown";

/** What XINFO tells about a group's position in its stream. @internal */
export interface LagFacts {
  readonly length: number;
  /** How many were ever added; undefined where the server does not say. */
  readonly entriesAdded: number | undefined;
  /** The first and the last entry there is; undefined when there is none. */
  readonly ends: { readonly first: EntryId; readonly last: EntryId } | undefined;
  readonly lastDelivered: EntryId;
  /** As XINFO GROUPS has it; undefined for null. */
  readonly reported: number | undefined;
}

/** How many unread entries were seen; not all of them when the limit ended it. @internal */
export interface UnreadCount {
  readonly count: number;
  readonly isComplete: boolean;
}

/** @internal */
export interface Lag {
  readonly lag: O.Option<number>;
  readonly lagSource: LagSource;
}

/**
 * The lag where the facts alone make it certain.
 *
 * Redis' own number is not enough once anything was removed: up to 7.4.3 (7.0, 7.2, Valkey before 9.0) it goes on counting
 * unread entries that were trimmed, and keeps doing so when the group has long read on (redis#13338, #13473, #13958).
 * @internal
 */
export function certainLag({ length, entriesAdded, ends, lastDelivered, reported }: LagFacts): number | undefined {
  if (ends === undefined || !isBefore(lastDelivered, ends.last)) return 0;
  if (isBefore(lastDelivered, ends.first)) return length; // all that is left is unread
  const nothingRemoved = entriesAdded === length;
  return nothingRemoved && isPossible(reported, length) ? reported : undefined;
}

/** What the entries that are read to be counted may weigh together, in characters. */
const countedBytes = 4_000_000;

/** How many unread entries to count at most, where entries are about so large; 0: none. @internal */
export const countBudget = (limit: number, entryBytes: number): number =>
  Math.min(limit, Math.floor(countedBytes / Math.max(1, entryBytes)));

/** The lag that is published: certain, counted, or Redis' word where that many are possible. @internal */
export function lagOf(facts: LagFacts, unread: UnreadCount): Lag {
  const certain = certainLag(facts) ?? (unread.isComplete ? unread.count : undefined);
  if (certain !== undefined) return { lag: O.some(certain), lagSource: certain === facts.reported ? "redis" : "counted" };
  const { reported } = facts;
  return isPossible(reported, facts.length) && reported >= unread.count
    ? { lag: O.some(reported), lagSource: "redis" }
    : { lag: O.none, lagSource: "unknown" };
}

/** A group between the ends has an entry behind it and one ahead of it. */
const isPossible = (reported: number | undefined, length: number): reported is number =>
  reported !== undefined && reported >= 1 && reported < length;

const isBefore = (first: EntryId, second: EntryId): boolean => EntryIdOrd.compare(first, second) < 0;

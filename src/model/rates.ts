import * as O from "fp-ts/lib/Option.js";

/** Entries per second between two snapshots; none for the first, and where Redis' counters are unknown or went back. @public */
export interface GroupRates {
  /** Added to the stream. */
  readonly addedPerSecond: O.Option<number>;
  /** Given to the group for the first time. */
  readonly deliveredPerSecond: O.Option<number>;
  /** That left the pending entries: acknowledged, made dead letters, or dropped with their consumer. */
  readonly settledPerSecond: O.Option<number>;
}

/** The counters of a snapshot. @internal */
export interface Counters {
  readonly at: number;
  readonly entriesAdded: O.Option<number>;
  readonly entriesRead: O.Option<number>;
  readonly pending: number;
}

/** @internal */
export function ratesBetween(before: Counters | undefined, after: Counters): GroupRates {
  if (before === undefined || after.at <= before.at)
    return { addedPerSecond: O.none, deliveredPerSecond: O.none, settledPerSecond: O.none };
  const perSecond = (count: O.Option<number>): O.Option<number> =>
    O.map((known: number) => (known * 1_000) / (after.at - before.at))(O.filter((known: number) => known >= 0)(count));
  const delivered = growth(before.entriesRead, after.entriesRead);
  const settled = O.map((count: number) => count - (after.pending - before.pending))(delivered);
  return {
    addedPerSecond: perSecond(growth(before.entriesAdded, after.entriesAdded)),
    deliveredPerSecond: perSecond(delivered),
    settledPerSecond: perSecond(O.isSome(delivered) && delivered.value >= 0 ? settled : O.none),
  };
}

const growth = (before: O.Option<number>, after: O.Option<number>): O.Option<number> =>
  O.isSome(before) && O.isSome(after) ? O.some(after.value - before.value) : O.none;

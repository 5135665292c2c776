import * as O from "fp-ts/lib/Option.js";
import { EntryIdOrd, type EntryId } from "./entry-id.js";
import type { ConsumerInfo } from "./group-info.js";

/**
 * How a group does, seen over a window of snapshots; the first of these that applies:
 *
 * - `rewound`: its last delivered id went back within the window, by XGROUP SETID or because the group was made again. Entries are
 *   read once more.
 * - `stopped`: it is behind, and nobody has read for the whole window, or there is nobody. Also a group that is missing while its
 *   stream holds entries.
 * - `stalled`: there is lag, or there are pending entries that do not just wait for a retry, and nothing has moved for the whole window.
 * - `warning`: it moves, but was behind for the whole window, and its lag has only grown.
 * - `ok`: everything else. Until the window is full nothing is called stopped, stalled or a warning, but for the missing group.
 * @public
 */
export type Verdict = "ok" | "warning" | "stalled" | "stopped" | "rewound";

/** Whether there is what is watched: the group, its stream without the group, or neither. @public */
export type GroupPresence = "group" | "noGroup" | "noStream";

/** What of a snapshot a verdict is about. @internal */
export interface WatchPoint {
  readonly at: number;
  readonly presence: GroupPresence;
  readonly length: number;
  readonly lag: O.Option<number>;
  readonly lastDeliveredId: O.Option<EntryId>;
  readonly pending: number;
  readonly oldestPendingId: O.Option<EntryId>;
  readonly retriesWaiting: number;
  readonly nextRetryInMs: O.Option<number>;
  readonly consumers: readonly Pick<ConsumerInfo, "idleMs">[];
}

/**
 * The verdict on the newest of the snapshots.
 * @param window - oldest first
 * @param size - how many make it full, 2 or more
 * @internal
 */
export function verdict(window: readonly WatchPoint[], size: number): Verdict {
  const newest = window.at(-1);
  if (newest === undefined || newest.presence === "noStream") return "ok";
  if (newest.presence === "noGroup") return newest.length > 0 ? "stopped" : "ok";
  if (wentBack(window)) return "rewound";
  if (window.length < size || window.some(({ presence }) => presence !== "group")) return "ok";
  const still = hasNotMoved(window);
  if (still && window.every(isBehind) && !anyoneRead(window)) return "stopped";
  if (still && window.every(hasWork)) return "stalled";
  return hasGrown(window) ? "warning" : "ok";
}

function wentBack(window: readonly WatchPoint[]): boolean {
  const positions = window.flatMap(({ lastDeliveredId }) => (O.isSome(lastDeliveredId) ? [lastDeliveredId.value] : []));
  return inPairs(positions).some(([before, after]) => EntryIdOrd.compare(after, before) < 0);
}

/** Unknown is only the lag of a group that has more unread entries than were counted. */
const isBehind = ({ lag }: WatchPoint): boolean => O.isNone(lag) || lag.value > 0;

/** Entries that wait for their retry need nobody, until they are due. */
const hasWork = (point: WatchPoint): boolean =>
  isBehind(point) ||
  point.pending > point.retriesWaiting ||
  (point.pending > 0 && O.isSome(point.nextRetryInMs) && point.nextRetryInMs.value < 0);

const hasNotMoved = (window: readonly WatchPoint[]): boolean =>
  inPairs(window).every(
    ([before, after]) =>
      sameId(before.lastDeliveredId, after.lastDeliveredId) &&
      before.pending === after.pending &&
      sameId(before.oldestPendingId, after.oldestPendingId),
  );

const sameId = (first: O.Option<EntryId>, second: O.Option<EntryId>): boolean => O.toUndefined(first) === O.toUndefined(second);

/** Whether a consumer was seen by Redis since the oldest snapshot was taken. */
function anyoneRead(window: readonly WatchPoint[]): boolean {
  const [oldest, newest] = [window[0]!, window.at(-1)!];
  return newest.consumers.some(({ idleMs }) => idleMs < newest.at - oldest.at);
}

/** It was behind throughout, its lag is known, never shrank, and is greater than it was. */
function hasGrown(window: readonly WatchPoint[]): boolean {
  const lags = window.flatMap(({ lag }) => (O.isSome(lag) && lag.value > 0 ? [lag.value] : []));
  return lags.length === window.length && inPairs(lags).every(([before, after]) => after >= before) && lags.at(-1)! > lags[0]!;
}

const inPairs = <A>(list: readonly A[]): (readonly [A, A])[] => list.slice(1).map((after, index) => [list[index]!, after]);

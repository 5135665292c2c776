import * as O from "fp-ts/lib/Option.js";
import { defer, forkJoin, from, map, of, switchMap, type Observable } from "rxjs";
import type { GroupDetails, GroupFacts, StreamOverview } from "../model/group-facts.js";
import { pendingRows } from "../model/group-snapshot.js";

import { certainLag, countBudget, type UnreadCount } from "../model/lag.js";
import type { GroupRef, StreamInspection } from "../redis/port.js";

/** @internal */
export interface SurveyRequest {
  readonly deadLetterStream: string | undefined;
  /** How many unread entries may be counted. */
  readonly countLimit: number;
}

const notCounted: UnreadCount = { count: 0, isComplete: false };

/** What there is to know about one group: one round trip, and the counting where that is needed. @internal */
export function surveyGroup(inspection: StreamInspection, ref: GroupRef, request: SurveyRequest): Observable<GroupFacts> {
  return forkJoin([from(inspection.overview(ref.stream)), detailsOf(inspection, ref, request)]).pipe(
    switchMap(([overview, details]) => complete(inspection, ref, { overview, details }, request.countLimit)),
  );
}

/**
 * The same for all groups of a stream and those in `alsoGroups`: two round trips, and the counting, whose limit they share.
 * @internal
 */
export function surveyGroups(
  inspection: StreamInspection,
  stream: string,
  alsoGroups: readonly string[],
  countLimit: number,
): Observable<ReadonlyMap<string, GroupFacts>> {
  return from(inspection.overview(stream)).pipe(
    switchMap((overview) => {
      const names = [...new Set([...overview.groups.map(({ name }) => name), ...alsoGroups])];
      if (names.length === 0) return of([]); // forkJoin of none emits nothing
      const share = Math.floor(countLimit / Math.max(1, names.filter((name) => isUncertain(overview, name)).length));
      const one = (group: string): Observable<readonly [string, GroupFacts]> =>
        detailsOf(inspection, { stream, group }, { deadLetterStream: undefined }).pipe(
          switchMap((details) => complete(inspection, { stream, group }, { overview, details }, share)),
          map((facts) => [group, facts] as const),
        );
      return forkJoin(names.map(one));
    }),
    map((facts) => new Map(facts)),
  );
}

const detailsOf = (
  inspection: StreamInspection,
  ref: GroupRef,
  { deadLetterStream }: Pick<SurveyRequest, "deadLetterStream">,
): Observable<GroupDetails> => defer(() => from(inspection.details(ref, { deadLetterStream, rows: pendingRows })));

function complete(
  inspection: StreamInspection,
  { stream, group }: GroupRef,
  { overview, details }: { readonly overview: StreamOverview; readonly details: GroupDetails },
  countLimit: number,
): Observable<GroupFacts> {
  const found = overview.groups.find(({ name }) => name === group);
  const budget = countBudget(countLimit, overview.stream?.entryBytes ?? 0);
  const unread =
    found !== undefined && budget > 0 && isUncertain(overview, group)
      ? from(inspection.countAfter(stream, found.lastDeliveredId, budget))
      : of(notCounted);
  return unread.pipe(map((count) => ({ at: overview.at, stream: overview.stream, group: found, details, unread: count })));
}

/** Whether only counting can tell the lag of a group. */
function isUncertain({ stream, groups }: StreamOverview, group: string): boolean {
  const info = groups.find(({ name }) => name === group);
  if (stream === undefined || info === undefined) return false;
  return certainLag({ ...stream, lastDelivered: info.lastDeliveredId, reported: O.toUndefined(info.lag) }) === undefined;
}

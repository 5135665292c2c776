import { groupBy } from "fp-ts/lib/NonEmptyArray.js";
import { defer, finalize, merge, mergeMap, type Observable } from "rxjs";
import type { Page } from "./chore.js";
import type { GroupSettings } from "./group-settings.js";
import { Place } from "./place.js";
import { readGroup } from "./read-group.js";
import type { Session } from "./session.js";
import { streamsOf } from "./streams-of.js";

/** Reads the streams of a source, those that one command can read together with one reader; they may come and go. @internal */
export function readGroups(session: Session<GroupSettings>): Observable<Page> {
  const { port, settings, signs, ledger } = session;
  return defer(() => {
    const places = new Map<string, Place>();
    const share = (): number => Math.max(1, Math.floor(settings.maxInFlight / places.size));
    const open = (key: string, streams: readonly string[]): Observable<Page> => {
      const place = new Place(session, streams);
      places.set(key, place);
      return defer(() => readGroup(session, place, share)).pipe(finalize(() => places.delete(key)));
    };
    const arrange = (streams: readonly string[]): Observable<Page> => {
      signs.follows(streams);
      const wanted = groupBy((stream: string) => String(port.placeOf(stream)))([...streams]);
      for (const [key, place] of places) place.follow(wanted[key] ?? []);
      const fresh = Object.entries(wanted).filter(([key]) => !places.has(key));
      const opened = fresh.map(([key, some]) => open(key, some));
      const most = Math.max(1, ...Object.values(wanted).map((some) => some.length));
      ledger.bytes?.shareAmong({ readers: Math.max(1, places.size), streams: most });
      return merge(...opened);
    };
    return streamsOf(settings.streams).pipe(mergeMap(arrange));
  });
}

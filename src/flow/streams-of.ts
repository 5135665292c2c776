import { from, map, of, type Observable } from "rxjs";
import { streamNames } from "./group-settings.js";

/** The streams of a source, now and whenever they change. What the user's Observable errors with ends the source. @internal */
export function streamsOf(streams: readonly string[] | Observable<readonly string[]>): Observable<readonly string[]> {
  return isFixed(streams) ? of(streams) : from(streams).pipe(map(streamNames));
}

/** @internal */
export const isFixed = (streams: readonly string[] | Observable<readonly string[]>): streams is readonly string[] => Array.isArray(streams);

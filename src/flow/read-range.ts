import { concat, defer, EMPTY, map, of, repeat, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { RangeRequest, RawEntry } from "../redis/port.js";
import type { Page } from "./chore.js";
import { healReads } from "./heal-reads.js";
import { Pager } from "./pager.js";
import type { RangeSettings } from "./range-settings.js";
import { ReadProgress } from "./read-progress.js";
import type { GrouplessSession } from "./session.js";
import { whenFree } from "./when-free.js";

/** Reads a range to its end, a page whenever there is credit. @internal */
export function readRange(session: GrouplessSession<RangeSettings>): Observable<Page> {
  const { commands, ledger, settings } = session;
  const { stream, pageSize } = settings;
  const progress = new ReadProgress(session, 0);
  const pager = new Pager((after, count) => commands.range(stream, requestFor(settings, after, count)));
  let left = settings.limit;

  const isOver = (): boolean => pager.isAtEnd || left <= 0 || (settings.signal?.aborted ?? false);
  const admit = (entries: readonly RawEntry[]): Page => {
    left -= entries.length;
    progress.answered();
    return ledger.admit({ stream, group: undefined, consumer: undefined }, entries);
  };
  const page = defer(() => {
    const count = Math.min(ledger.freeFor(pageSize), left);
    if (count <= 0 || isOver()) return EMPTY;
    progress.reading();
    return ledger.reserving(count, pager.next(count).pipe(map(admit)));
  });
  const turns = concat(whenFree(ledger, progress.starved), page).pipe(repeat({ delay: () => (isOver() ? EMPTY : of(true)) }));
  return healReads(session, progress, turns);
}

function requestFor({ range, reverse }: RangeSettings, after: EntryId | undefined, count: number): RangeRequest {
  const rest = after === undefined ? {} : reverse ? { end: `(${after}` } : { start: `(${after}` };
  return { ...range, ...rest, count, reverse };
}

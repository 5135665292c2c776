import { asyncScheduler, concat, defer, EMPTY, from, ignoreElements, map, of, repeat, switchMap, timer, type Observable } from "rxjs";
import { largestCount } from "../model/read-plan.js";
import type { RawEntry, StreamReader } from "../redis/port.js";
import type { Page } from "./chore.js";
import { giveUpSilent } from "./give-up-silent.js";
import { healReads } from "./heal-reads.js";
import { ReadProgress } from "./read-progress.js";
import type { GrouplessSession } from "./session.js";
import type { TailPosition } from "./tail-position.js";
import type { TailSettings } from "./tail-settings.js";
import { whenFree } from "./when-free.js";
import { withReader } from "./with-reader.js";

/** The rest after a read that came back at once with nothing, ms: a server that does not block must not be asked in a hurry. */
const restMs = 50;

/** Reads a stream for ever, each time after the last id that was given. @internal */
export function tailStream(session: GrouplessSession<TailSettings>, position: TailPosition): Observable<Page> {
  const { ledger, settings } = session;
  const { stream, blockMs } = settings;
  const progress = new ReadProgress(session, blockMs);
  const isDraining = (): boolean => settings.signal?.aborted ?? false;

  const admit = (entries: readonly RawEntry[]): Page => {
    if (entries.length > 0) position.advance(entries.at(-1)![0]);
    progress.answered();
    return ledger.admit({ stream, group: undefined, consumer: undefined }, entries);
  };
  const rest = (begun: number): Observable<never> =>
    asyncScheduler.now() - begun >= blockMs / 2 ? EMPTY : timer(restMs).pipe(ignoreElements());
  const read = (reader: StreamReader): Observable<Page> =>
    defer(() => {
      if (ledger.free <= 0 || isDraining()) return EMPTY;
      progress.reading();
      const count = ledger.freeFor(largestCount);
      const begun = asyncScheduler.now();
      const answer = from(reader.tail({ stream, after: position.after, count, blockMs })).pipe(giveUpSilent(blockMs), map(admit));
      const quiet = defer(() => concat(rest(begun), position.locate()));
      return ledger.reserving(count, answer).pipe(switchMap((page) => (page.length > 0 ? of(page) : quiet)));
    });
  const turns = withReader(session, (reader) =>
    concat(whenFree(ledger, progress.starved), read(reader)).pipe(repeat({ delay: () => (isDraining() ? EMPTY : of(true)) })),
  );
  return healReads(session, progress, concat(position.locate(), turns));
}

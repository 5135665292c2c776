import { asyncScheduler, defer, filter, map, NEVER, repeat, startWith, switchMap, timer, type Observable } from "rxjs";
import type { Page } from "./chore.js";
import type { KeepingLedger } from "./keeping-ledger.js";

/** The longest a timer can be set to. */
const longestMs = 2 ** 31 - 1;

/** Delivers what a source without a group has to deliver again, when it is due. @internal */
export function redeliver(ledger: KeepingLedger): Observable<Page> {
  const due = (): Observable<unknown> =>
    ledger.nextAt === Infinity ? NEVER : timer(Math.min(longestMs, Math.max(0, ledger.nextAt - asyncScheduler.now())));
  const next = defer(due).pipe(
    map(() => ledger.takeDue()),
    repeat(),
  );
  return ledger.rescheduled.pipe(
    startWith(undefined),
    switchMap(() => next),
    filter((page) => page.length > 0),
  );
}

import { BehaviorSubject, defer, EMPTY, filter, merge, of, repeat, switchMap, take, takeUntil, tap, timer, type Observable } from "rxjs";
import type { Page } from "./chore.js";
import type { CreditLedger } from "./credit-ledger.js";
import type { Recovery } from "./recovery.js";

/** Pause between looks while there is no credit to take the retries that are due. */
const noCreditMs = 20;

/** A read that may be blocked for long, and the retries that fall due until it is answered; they go over another connection. @internal */
export function withRetries(read: Observable<Page>, recovery: Recovery, ledger: CreditLedger): Observable<Page> {
  return defer(() => {
    const over = new BehaviorSubject(false); // asked as well: it may come while a retry is being taken
    const end = (): void => over.next(true);
    return merge(retriesUntil(over, recovery, ledger), read.pipe(tap({ complete: end, error: end })));
  });
}

/** Never cut short while it takes entries over: the answer would be lost. */
function retriesUntil(over: BehaviorSubject<boolean>, recovery: Recovery, ledger: CreditLedger): Observable<Page> {
  const waitMs = (dueInMs: number): number => (dueInMs > 0 || ledger.free > 0 ? dueInMs + 1 : noCreditMs);
  const due = defer(() => merge(timer(waitMs(recovery.nextDueInMs)), recovery.rescheduled));
  const alarm = due.pipe(take(1), takeUntil(over.pipe(filter(Boolean))));
  return alarm.pipe(
    switchMap(() => recovery.runDue()),
    repeat({ delay: () => (over.value ? EMPTY : of(true)) }),
  );
}

import { defer, EMPTY, filter, ignoreElements, merge, of, race, switchMap, take, tap, timer, type Observable } from "rxjs";
import type { CreditLedger } from "./credit-ledger.js";

/** Credit that comes back in drops is collected for so long, so that reads stay large. */
const collectMs = 2;
/** A source is called starved after so long without credit; shorter spells are how backpressure works. */
const starvedAfterMs = 100;

/**
 * Completes when the ledger has credit: at once when there is some, else when a quarter of the window is back, or the first
 * credit is `collectMs` old.
 * @internal
 */
export function whenFree(ledger: CreditLedger, onStarved: () => void): Observable<never> {
  const enough = Math.max(1, Math.floor(ledger.window / 4));
  const free = (least: number): Observable<void> => ledger.returned.pipe(filter(() => ledger.free >= least));
  const collected = (): Observable<unknown> => (ledger.free >= enough ? of(0) : race(free(enough), timer(collectMs)));
  const starving = timer(starvedAfterMs).pipe(tap(onStarved), ignoreElements());
  const wait = merge(free(1).pipe(take(1), switchMap(collected)), starving).pipe(take(1), ignoreElements());
  return defer(() => (ledger.free > 0 ? EMPTY : ledger.starving(wait)));
}

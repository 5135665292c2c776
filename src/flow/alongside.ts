import { defer, merge, Subject, takeUntil, tap, type Observable } from "rxjs";

/** Runs what keeps `work` going for as long as that goes; an error of either is an error of both. @internal */
export function alongside<A>(work: Observable<A>, upkeep: Observable<A>): Observable<A> {
  return defer(() => {
    const over = new Subject<void>();
    return merge(upkeep.pipe(takeUntil(over)), work.pipe(tap({ complete: () => over.next() })));
  });
}

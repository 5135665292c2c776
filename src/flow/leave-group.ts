import { catchError, concatMap, defer, EMPTY, finalize, from, last, merge, of, reduce, switchMap, timeout, type Observable } from "rxjs";
import type { Session } from "./session.js";

/** How long leaving may take when Redis does not answer; what could not be released then is left to the lease. */
const leaveWithinMs = 2_000;

/**
 * Ends a source's part in the group: gives up what is open, hands back what is pending for it, and removes the consumer when
 * its name was made up and nothing of it is left. Emits how many entries were handed back, and never errors.
 * @internal
 */
export function leaveGroup(session: Session): Observable<number> {
  const { commands, ledger, settings, consumer, closing } = session;
  const release = (stream: string): Observable<number> =>
    defer(() =>
      from(
        commands.leave(
          { stream, group: settings.group, consumer },
          { remove: settings.consumer === undefined, leaveAlone: ledger.settling(stream) },
        ),
      ),
    ).pipe(catchError(() => EMPTY)); // the group is gone, or Redis is: the lease hands the entries on
  return defer(() => {
    ledger.abandon(new Error("The source has stopped: this delivery is handed back"));
    return merge(...closing).pipe(last(null, undefined));
  }).pipe(
    switchMap(() => from(settings.streams)),
    concatMap(release),
    reduce((total, count) => total + count, 0),
    timeout({ first: leaveWithinMs, with: () => of(0) }),
    finalize(() => commands.close()),
  );
}

import { catchError, defer, EMPTY, finalize, from, last, merge, mergeMap, of, reduce, switchMap, timeout, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { LeaveOptions } from "../redis/port.js";
import type { Session } from "./session.js";

/** How long leaving may take when Redis does not answer; what could not be released then is left to the lease. */
const leaveWithinMs = 2_000;
/** Streams left at a time. */
const atOnce = 32;

/**
 * Ends a source's part in its groups and emits how many entries were handed back; it never errors. In two steps:
 * - what is open here, at once: before a new subscription under the same name can take it up;
 * - with a made-up name, when the readers are closed, whatever else is pending for it - the server may have delivered until
 *   then - and the consumer itself. Under a name of the user's that is the next subscription's to recover.
 * @internal
 */
export function leaveGroup(session: Session): Observable<number> {
  const { commands, ledger, closing, joined } = session;
  const inFlight = defer(() => {
    const open = ledger.openByStream();
    ledger.abandon(new Error("The source has stopped: this delivery is handed back"));
    return from(open).pipe(mergeMap(([stream, ids]) => release(session, stream, ids), atOnce));
  });
  const closed = defer(() => merge(...closing).pipe(last(null, undefined)));
  const rest = closed.pipe(
    switchMap(() => from(joined)),
    mergeMap((stream) => leaveStream(session, stream), atOnce),
  );
  return merge(inFlight, rest).pipe(
    reduce((total, count) => total + count, 0),
    timeout({ first: leaveWithinMs, with: () => of(0) }),
    finalize(() => commands.close()),
  );
}

/** With a made-up name: hands back whatever is pending for this consumer in a stream's group, and removes it from there. @internal */
export function leaveStream(session: Session, stream: string): Observable<number> {
  return session.settings.consumer === undefined ? release(session, stream) : EMPTY;
}

function release(session: Session, stream: string, only?: readonly EntryId[]): Observable<number> {
  const { commands, settings, consumer } = session;
  const options: LeaveOptions = only === undefined ? { remove: true } : { remove: false, only };
  return defer(() => from(commands.leave({ stream, group: settings.group, consumer }, options))).pipe(
    catchError(() => EMPTY), // the group is gone, or Redis is: the lease hands the entries on
  );
}

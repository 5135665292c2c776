import { catchError, concatMap, defer, EMPTY, finalize, from, last, merge, of, reduce, switchMap, timeout, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { Session } from "./session.js";

/** How long leaving may take when Redis does not answer; what could not be released then is left to the lease. */
const leaveWithinMs = 2_000;

/**
 * Ends a source's part in the group and emits how many entries were handed back; it never errors. In two steps:
 * - what is open here, at once: before a new subscription under the same name can take it up;
 * - with a made-up name, when the readers are closed, whatever else is pending for it - the server may have delivered until
 *   then - and the consumer itself. Under a name of the user's that is the next subscription's to recover.
 * @internal
 */
export function leaveGroup(session: Session): Observable<number> {
  const { commands, ledger, settings, consumer, closing } = session;
  const isMadeUp = settings.consumer === undefined;
  const release = (stream: string, only?: readonly EntryId[]): Observable<number> =>
    defer(() =>
      from(commands.leave({ stream, group: settings.group, consumer }, only === undefined ? { remove: true } : { remove: false, only })),
    ).pipe(catchError(() => EMPTY)); // the group is gone, or Redis is: the lease hands the entries on

  const inFlight = defer(() => {
    const open = settings.streams.map((stream) => [stream, [...ledger.open(stream)]] as const);
    ledger.abandon(new Error("The source has stopped: this delivery is handed back"));
    return merge(...open.map(([stream, ids]) => (ids.length === 0 ? EMPTY : release(stream, ids))));
  });
  const closed = defer(() => merge(...closing).pipe(last(null, undefined)));
  const rest = closed.pipe(
    switchMap(() => from(isMadeUp ? settings.streams : [])),
    concatMap((stream) => release(stream)),
  );
  return merge(inFlight, rest).pipe(
    reduce((total, count) => total + count, 0),
    timeout({ first: leaveWithinMs, with: () => of(0) }),
    finalize(() => commands.close()),
  );
}

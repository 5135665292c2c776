import { catchError, EMPTY, from, ignoreElements, mergeMap, type Observable } from "rxjs";
import type { Session } from "./session.js";

/**
 * Acknowledges what was added again for another group. If it can't be now, the entries stay pending, and are met again when their
 * lease has run out.
 * @internal
 */
export function ackStrangers({ commands, ledger, settings: { group } }: Session): Observable<never> {
  return ledger.strangers.pipe(
    mergeMap(({ stream, ids }) => from(commands.ack({ stream, group }, ids)).pipe(catchError(() => EMPTY))),
    ignoreElements(),
  );
}

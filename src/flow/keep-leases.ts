import { catchError, concatMap, defer, EMPTY, exhaustMap, from, ignoreElements, interval, switchMap, tap, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { ConsumerRef } from "../redis/port.js";
import type { Session } from "./session.js";
import { unlessFatal } from "./unless-fatal.js";

/** Renewals in a lease's time: two may fail before it runs out. */
const renewalsPerLease = 3;

/**
 * Renews the lease of everything in flight, buffered or running, at a third of it; what another consumer has claimed
 * meanwhile is given up: its signal is aborted and it is not acknowledged.
 * @internal
 */
export function keepLeases(session: Session): Observable<never> {
  const { ledger, settings } = session;
  return interval(settings.leaseMs / renewalsPerLease).pipe(
    exhaustMap(() => from(ledger.openByStream()).pipe(concatMap(([stream, ids]) => renew(session, stream, ids)))),
    ignoreElements(),
  );
}

function renew(session: Session, stream: string, ids: readonly EntryId[]): Observable<unknown> {
  const { commands, ledger, settings, consumer, report } = session;
  const ref = { stream, group: settings.group, consumer };
  return defer(() => from(commands.renew(ref, ids))).pipe(
    switchMap(({ lost, deleted, absent }) => {
      const given =
        lost.length === 0
          ? []
          : ledger.lose(
              stream,
              lost,
              new Error(`The lease of this delivery is lost: another consumer of group "${settings.group}" has claimed it`),
            );
      if (given.length > 0) report({ _tag: "leaseLost", stream, ids: given });
      if (deleted.length > 0) report({ _tag: "tombstone", stream, ids: deleted });
      return adoptAbsent(session, ref, absent);
    }),
    catchError((error: unknown) =>
      unlessFatal(error, ref, () => {
        report({ _tag: "renewalFailed", stream, count: ids.length, cause: error });
        return EMPTY; // the next renewal comes in time
      }),
    ),
  );
}

/**
 * In flight here and pending for nobody: the group was made anew elsewhere, or the consumer was deleted. They are made pending
 * again, so that what fails can still be retried. Looked up once more, because what was settled meanwhile is absent with reason.
 */
function adoptAbsent({ commands, ledger, report }: Session, ref: ConsumerRef, absent: readonly EntryId[]): Observable<unknown> {
  const open = ledger.open(ref.stream);
  const ids = absent.filter((id) => open.has(id));
  if (ids.length === 0) return EMPTY;
  return from(commands.adopt(ref, ids)).pipe(
    tap((adopted) => adopted.length > 0 && report({ _tag: "adopted", stream: ref.stream, ids: adopted })),
  );
}

import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  endWith,
  finalize,
  ignoreElements,
  merge,
  of,
  tap,
  timeout,
  type Observable,
} from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Fields } from "../model/fields.js";
import type { StreamsPort } from "../redis/port.js";
import type { Page } from "./chore.js";
import type { GrouplessSettings } from "./delivery-settings.js";
import { drainRequest } from "./drain-request.js";
import { KeepingLedger } from "./keeping-ledger.js";
import { redeliver } from "./redeliver.js";
import { openSession, runSource } from "./run-source.js";
import type { GrouplessSession } from "./session.js";

/** How long the last write may take when Redis does not answer. */
const leaveWithinMs = 2_000;

/** What a source without a group does besides delivering. @internal */
export interface GrouplessParts {
  /** Brings the deliveries; it completes by itself at its end, or soon after the signal is aborted. */
  readonly bring: Observable<Page>;
  readonly upkeep: Observable<never>;
  /** Writes down how far it is. */
  readonly save: Observable<never>;
}

/**
 * One subscription to a source without a group: what is to be delivered again is kept here until then.
 * @typeParam F - what `settings.payload` makes of the fields
 * @internal
 */
export function openGroupless<S extends GrouplessSettings, F = Fields>(
  port: StreamsPort,
  settings: S,
  parts: (session: GrouplessSession<S>) => GrouplessParts,
): Observable<Delivery<F>> {
  return defer(() => {
    const identity = { streams: [settings.stream], group: undefined, consumer: undefined };
    const ledger = new KeepingLedger(settings.maxInFlight, settings.maxInFlightBytes);
    const session: GrouplessSession<S> = openSession(port, settings, ledger, port.openHistory(settings.payload), identity);
    session.report({ _tag: "starting", ...identity });
    const { bring, upkeep, save } = parts(session);
    return runSource(session, {
      bring,
      upkeep: merge(upkeep, redeliver(session.ledger), closeInTime(session)),
      depart: leave(session, save),
    }) as Observable<Delivery<F>>;
  });
}

/** What is due after the deadline of a drain is not waited for. */
function closeInTime({ ledger, settings }: GrouplessSession): Observable<never> {
  return drainRequest(settings.signal).pipe(
    tap(() => ledger.closeAt(asyncScheduler.now() + settings.drainTimeoutMs)),
    ignoreElements(),
  );
}

/** Writes down how far it is, then gives up what is unsettled; emits how many those were. */
function leave({ commands, ledger, settings }: GrouplessSession, save: Observable<never>): Observable<number> {
  return defer(() => {
    const released = ledger.outstanding(settings.stream).length;
    const abandon = defer(() => {
      ledger.abandon(new Error("The source has stopped: this delivery is given up"));
      return EMPTY;
    });
    return merge(save.pipe(catchError(() => EMPTY)), abandon).pipe(
      endWith(released),
      timeout({ first: leaveWithinMs, with: () => of(released) }),
      finalize(() => commands.close()),
    );
  });
}

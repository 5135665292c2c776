import { randomInt } from "node:crypto";
import { hostname } from "node:os";
import {
  concat,
  defer,
  delay,
  filter,
  finalize,
  fromEvent,
  ignoreElements,
  merge,
  NEVER,
  of,
  race,
  share,
  startWith,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
  type Observable,
} from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Fields } from "../model/fields.js";
import type { SourceStatus } from "../model/status.js";
import type { StreamsPort } from "../redis/port.js";
import { alongside } from "./alongside.js";
import type { Page } from "./chore.js";
import { CreditLedger } from "./credit-ledger.js";
import { emitPages } from "./emit-pages.js";
import type { SourceSettings } from "./group-settings.js";
import { keepLeases } from "./keep-leases.js";
import { leaveGroup } from "./leave-group.js";
import type { Session } from "./session.js";
import { isFixed } from "./streams-of.js";
import { watchStall } from "./watch-stall.js";

/** How long a read may still answer after the drain has begun; what it delivers later is released. */
const lastReadMs = 50;

/**
 * One subscription to a source of a group: what brings deliveries, leases and stall watch until it is drained, then the
 * departure. Abandoned or in error it departs as well, behind the subscriber's back.
 *
 * @typeParam F - what `settings.payload` makes of the fields
 * @param bring - brings the deliveries; it completes by itself soon after the signal is aborted
 * @internal
 */
export function openSource<S extends SourceSettings, F = Fields>(
  port: StreamsPort,
  settings: S,
  bring: (session: Session<S>) => Observable<Page>,
): Observable<Delivery<F>> {
  return defer(() => {
    const session = openSession(port, settings);
    session.report({
      _tag: "starting",
      streams: isFixed(settings.streams) ? settings.streams : [],
      group: settings.group,
      consumer: session.consumer,
    });
    let reason: "drained" | "unsubscribed" | "error" = "unsubscribed";
    const leave = leaveGroup(session).pipe(
      tap((released) => session.report({ _tag: "stopped", reason, released })),
      ignoreElements(),
      share({ resetOnComplete: false, resetOnRefCountZero: false }), // once, whoever asks first, and to its end
    );
    const work = concat(
      bring(session).pipe(takeUntil(drainRequest(settings.signal).pipe(delay(lastReadMs)))),
      defer(() => settled(session)),
    ).pipe(emitPages());
    const deliveries = alongside(work, merge(keepLeases(session), watchStall(session), reportOutages(session))).pipe(
      tap({ error: () => (reason = "error") }),
    );
    const leaveDrained = defer(() => {
      reason = "drained";
      return leave;
    });
    // eslint-disable-next-line rxjs-x/no-subscribe-in-pipe -- teardown is synchronous, the departure outlives the subscriber
    return concat(deliveries, leaveDrained).pipe(finalize(() => leave.subscribe())) as Observable<Delivery<F>>;
  });
}

function openSession<S extends SourceSettings>(port: StreamsPort, settings: S): Session<S> {
  return {
    port,
    commands: port.openCommands(settings.payload),
    ledger: new CreditLedger(settings.maxInFlight, settings.maxInFlightBytes),
    settings,
    consumer: settings.consumer ?? `${hostname()}.${process.pid}.${randomInt(1e9).toString(36)}`,
    report: reporter(settings.status),
    joined: new Set(),
    closing: new Set(),
  };
}

/** An observer that throws is reported as RxJS reports it, and does not end the pipeline. */
function reporter(observer: SourceSettings["status"]): Session["report"] {
  const statuses = new Subject<SourceStatus>();
  // eslint-disable-next-line rxjs-x/no-ignored-error -- it never errors
  statuses.subscribe({ next: (status) => observer?.next(status) });
  return (status) => statuses.next(status);
}

/** What goes over the command connection waits while that is away; without this nobody would know why. */
function reportOutages({ commands, report }: Session): Observable<never> {
  return commands.broken.pipe(
    tap((outage) => report({ _tag: "reconnecting", ...outage })),
    ignoreElements(),
  );
}

/** Emits once when the signal is aborted. */
function drainRequest(signal: AbortSignal | undefined): Observable<unknown> {
  if (signal === undefined) return NEVER;
  return defer(() => (signal.aborted ? of(true) : fromEvent(signal, "abort").pipe(take(1))));
}

/** Completes when the last delivery is settled, or the drain has taken too long. */
function settled({ ledger, settings, report }: Session): Observable<never> {
  report({ _tag: "draining", unsettled: ledger.unsettled });
  const empty = ledger.returned.pipe(
    startWith(undefined),
    filter(() => ledger.unsettled === 0),
  );
  return ledger.starving(race(empty, timer(settings.drainTimeoutMs)).pipe(take(1), ignoreElements()));
}

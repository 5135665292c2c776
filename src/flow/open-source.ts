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
  take,
  takeUntil,
  tap,
  timer,
  type Observable,
} from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Fields } from "../model/fields.js";
import type { StreamsPort } from "../redis/port.js";
import { ackStrangers } from "./ack-strangers.js";
import { alongside } from "./alongside.js";
import type { Page } from "./chore.js";
import { CreditLedger } from "./credit-ledger.js";
import { emitPages } from "./emit-pages.js";
import type { SourceSettings } from "./group-settings.js";
import { keepLeases } from "./keep-leases.js";
import { leaveGroup } from "./leave-group.js";
import { reporter } from "./reporter.js";
import type { Session } from "./session.js";
import { SignsOfLife } from "./signs-of-life.js";
import { isFixed } from "./streams-of.js";
import { watchStall } from "./watch-stall.js";

/** How long a read may still answer after the drain has begun; what it delivers later is released. */
const lastReadMs = 50;

/**
 * One subscription to a source of a group: what brings deliveries, leases and stall watch until it is drained, then the
 * departure. Abandoned or in error it departs as well, behind the subscriber's back.
 *
 * @param bring - brings the deliveries; it completes by itself soon after the signal is aborted
 * @internal
 */
export function openSource<S extends SourceSettings>(
  port: StreamsPort,
  settings: S,
  bring: (session: Session<S>) => Observable<Page>,
): Observable<Delivery<Fields>> {
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
      tap((released) => {
        session.signs.enters(reason === "error" ? "failed" : reason);
        session.report({ _tag: "stopped", reason, released });
      }),
      ignoreElements(),
      share({ resetOnComplete: false, resetOnRefCountZero: false }), // once, whoever asks first, and to its end
    );
    const work = concat(
      bring(session).pipe(takeUntil(drainRequest(settings.signal).pipe(delay(lastReadMs)))),
      defer(() => settled(session)),
    ).pipe(emitPages());
    const deliveries = alongside(
      work,
      merge(keepLeases(session), watchStall(session), reportOutages(session), ackStrangers(session), session.signs.regularly),
    ).pipe(tap({ error: () => (reason = "error") }));
    const leaveDrained = defer(() => {
      reason = "drained";
      return leave;
    });
    // eslint-disable-next-line rxjs-x/no-subscribe-in-pipe -- teardown is synchronous, the departure outlives the subscriber
    return concat(deliveries, leaveDrained).pipe(finalize(() => leave.subscribe())) as Observable<Delivery<Fields>>;
  });
}

function openSession<S extends SourceSettings>(port: StreamsPort, settings: S): Session<S> {
  const ledger = new CreditLedger(settings.maxInFlight);
  const consumer = settings.consumer ?? `${hostname()}.${process.pid}.${randomInt(1e9).toString(36)}`;
  const report = reporter(settings.status);
  const { group, stalledAfterMs } = settings;
  const streams = isFixed(settings.streams) ? settings.streams : [];
  return {
    port,
    commands: port.openCommands(),
    ledger,
    settings,
    consumer,
    report,
    signs: new SignsOfLife({ streams, group, consumer, stalledAfterMs }, ledger, report),
    joined: new Set(),
    closing: new Set(),
  };
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
function settled({ ledger, settings, report, signs }: Session): Observable<never> {
  report({ _tag: "draining", unsettled: ledger.unsettled });
  signs.enters("draining");
  const empty = ledger.returned.pipe(
    startWith(undefined),
    filter(() => ledger.unsettled === 0),
  );
  return ledger.starving(race(empty, timer(settings.drainTimeoutMs)).pipe(take(1), ignoreElements()));
}

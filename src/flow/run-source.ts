import {
  concat,
  defer,
  delay,
  filter,
  finalize,
  ignoreElements,
  merge,
  race,
  share,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
  timer,
  type Observable,
} from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Fields } from "../model/fields.js";
import type { StreamsPort } from "../redis/port.js";
import { alongside } from "./alongside.js";
import type { Page } from "./chore.js";
import type { CreditLedger } from "./credit-ledger.js";
import type { DeliverySettings } from "./delivery-settings.js";
import { drainRequest } from "./drain-request.js";
import { emitPages } from "./emit-pages.js";
import { reporter } from "./reporter.js";
import type { Commands, PlainSession } from "./session.js";
import { SignsOfLife, type SourceIdentity } from "./signs-of-life.js";
import { watchStall } from "./watch-stall.js";

/** How long a read may still answer after the drain has begun; what it delivers later is released. */
const lastReadMs = 50;

/** What makes one source different from another. @internal */
export interface SourceParts {
  /** Brings the deliveries; it completes by itself at its end, or soon after the signal is aborted. */
  readonly bring: Observable<Page>;
  /** What goes on until the last delivery is settled; it may bring some as well. */
  readonly upkeep: Observable<Page>;
  /** Ends the source's part in Redis and emits how many deliveries were handed back; it never errors. */
  readonly depart: Observable<number>;
}

/** @internal */
export function openSession<S extends DeliverySettings, L extends CreditLedger, C extends Commands>(
  port: StreamsPort,
  settings: S,
  ledger: L,
  commands: C,
  identity: Omit<SourceIdentity, "stalledAfterMs">,
): PlainSession<S, L, C> {
  const report = reporter(settings.status);
  const signs = new SignsOfLife({ ...identity, stalledAfterMs: settings.stalledAfterMs }, ledger, report);
  return { port, commands, ledger, settings, report, signs, closing: new Set() };
}

/**
 * One subscription to a source: what brings deliveries, its upkeep and the stall watch until the last delivery is settled, then
 * the departure. Abandoned or in error it departs as well, behind the subscriber's back.
 * @internal
 */
export function runSource(session: PlainSession, { bring, upkeep, depart }: SourceParts): Observable<Delivery<Fields>> {
  let reason: "drained" | "unsubscribed" | "error" = "unsubscribed";
  const leave = depart.pipe(
    tap((released) => {
      session.signs.enters(reason === "error" ? "failed" : reason);
      session.report({ _tag: "stopped", reason, released });
    }),
    ignoreElements(),
    share({ resetOnComplete: false, resetOnRefCountZero: false }), // once, whoever asks first, and to its end
  );
  const work = concat(
    bring.pipe(takeUntil(drainRequest(session.settings.signal).pipe(delay(lastReadMs)))),
    defer(() => settled(session)),
  );
  const pages = alongside(work, merge(upkeep, watchStall(session), reportOutages(session), session.signs.regularly)).pipe(
    tap({ error: () => (reason = "error") }),
  );
  const leaveDrained = defer(() => {
    reason = "drained";
    return leave;
  });
  // eslint-disable-next-line rxjs-x/no-subscribe-in-pipe -- teardown is synchronous, the departure outlives the subscriber
  const all = concat(pages, leaveDrained).pipe(finalize(() => leave.subscribe()));
  return all.pipe(emitPages()) as Observable<Delivery<Fields>>; // last: what is behind it is done for each delivery
}

/** What goes over the command connection waits while that is away; without this nobody would know why. */
function reportOutages({ commands, report }: PlainSession): Observable<never> {
  return commands.broken.pipe(
    tap((outage) => report({ _tag: "reconnecting", ...outage })),
    ignoreElements(),
  );
}

/** Completes when the last delivery is settled, or the drain has taken too long. */
function settled({ ledger, settings, report, signs }: PlainSession): Observable<never> {
  report({ _tag: "draining", unsettled: ledger.unsettled });
  signs.enters("draining");
  const empty = ledger.returned.pipe(
    startWith(undefined),
    filter(() => ledger.unsettled === 0),
  );
  const tooLate = drainRequest(settings.signal).pipe(switchMap(() => timer(settings.drainTimeoutMs)));
  return ledger.starving(race(empty, tooLate).pipe(take(1), ignoreElements()));
}

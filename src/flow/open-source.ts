import { randomInt } from "node:crypto";
import { hostname } from "node:os";
import { defer, merge, type Observable } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import type { Fields } from "../model/fields.js";
import type { StreamsPort } from "../redis/port.js";
import { ackStrangers } from "./ack-strangers.js";
import type { Page } from "./chore.js";
import { CreditLedger } from "./credit-ledger.js";
import type { SourceSettings } from "./group-settings.js";
import { keepLeases } from "./keep-leases.js";
import { keepOrderBook } from "./keep-order-book.js";
import { leaveGroup } from "./leave-group.js";
import { openSession, runSource } from "./run-source.js";
import type { Session } from "./session.js";
import { isFixed } from "./streams-of.js";

/**
 * One subscription to a source of a group: its deliveries are leased until they are settled, and handed back at the end.
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
    const consumer = settings.consumer ?? `${hostname()}.${process.pid}.${randomInt(1e9).toString(36)}`;
    const ledger = new CreditLedger(settings.maxInFlight, settings.maxInFlightBytes);
    const identity = { streams: isFixed(settings.streams) ? settings.streams : [], group: settings.group, consumer };
    const plain = openSession(port, settings, ledger, port.openCommands(settings.payload), identity);
    const session: Session<S> = { ...plain, consumer, joined: new Set() };
    session.report({ _tag: "starting", ...identity });
    const parts = {
      bring: bring(session),
      upkeep: merge(keepLeases(session), keepOrderBook(session), ackStrangers(session)),
      depart: leaveGroup(session),
    };
    return runSource(session, parts) as Observable<Delivery<F>>;
  });
}

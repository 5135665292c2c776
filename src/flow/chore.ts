import { asyncScheduler, defer, from, map, type Observable, type ObservableInput } from "rxjs";
import type { HeldDelivery } from "../model/held-delivery.js";
import type { RecoveredFrom } from "../model/status.js";
import type { ConsumerRef, TakenPage } from "../redis/port.js";
import type { Session } from "./session.js";

/** Deliveries that came together. @internal */
export type Page = HeldDelivery<unknown>[];

/** Something a source does about its pending entries, a page at a time. @internal */
export interface Chore {
  /** Local time at which it is to run next, ms; Infinity: it has nothing to do. */
  readonly at: number;
  run(): Observable<Page>;
}

/** @internal */
export const isDue = (chore: Chore): boolean => chore.at <= asyncScheduler.now();

/**
 * Takes pending entries over within the credit there is: counts them as in flight, reports where they come from, and those
 * that were deleted meanwhile.
 * @internal
 */
export function takeOver<P extends TakenPage>(
  { ledger, report }: Session,
  ref: ConsumerRef,
  source: RecoveredFrom,
  take: (max: number) => ObservableInput<P>,
): Observable<Page> {
  const admit = ({ entries, deleted }: P): Page => {
    if (deleted.length > 0) report({ _tag: "tombstone", stream: ref.stream, ids: deleted });
    const page = entries.length === 0 ? [] : ledger.admit({ ...ref, isAgain: true }, entries, ledger.open(ref.stream));
    if (page.length > 0) report({ _tag: "recovered", stream: ref.stream, count: page.length, from: source });
    return page;
  };
  return defer(() => {
    const max = Math.max(0, ledger.free);
    return ledger.reserving(max, from(take(max)).pipe(map(admit)));
  });
}

import { asyncScheduler, filter, ignoreElements, interval, map, merge, tap, type Observable } from "rxjs";
import type { HeldDelivery } from "../model/held-delivery.js";
import type { PlainSession } from "./session.js";

/** Reports deliveries that nobody settles, once each, and sinks that can't write. @internal */
export function watchStall({ ledger, settings, report }: PlainSession): Observable<never> {
  const idleMs = (held: HeldDelivery<unknown>): number => asyncScheduler.now() - held.since;
  const isStalled = (held: HeldDelivery<unknown>): boolean => idleMs(held) >= settings.stalledAfterMs;
  let reported: unknown;
  const stalled = interval(Math.max(1, settings.stalledAfterMs / 4)).pipe(
    filter(() => ledger.oldest !== undefined && ledger.oldest !== reported && isStalled(ledger.oldest)),
    tap(() => (reported = ledger.oldest)),
    map(() => undefined),
  );
  return merge(stalled, ledger.hindrances).pipe(
    tap((cause) => {
      const oldest = ledger.oldest;
      if (oldest === undefined) return;
      report({
        _tag: "stalled",
        unsettled: ledger.unsettled,
        oldest: oldest.id,
        idleMs: idleMs(oldest),
        ...(cause === undefined ? {} : { cause }),
      });
    }),
    ignoreElements(),
  );
}

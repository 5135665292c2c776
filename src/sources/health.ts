import { asyncScheduler, concat, defer, filter, map, of, tap, timer, type Observable } from "rxjs";
import { alongside } from "../flow/alongside.js";
import { durationMs } from "../model/check.js";
import { healthOf, hear, isSameVerdict, type Health, type HealthBounds, type Roll } from "../model/health.js";
import type { SourceStatus } from "../model/status.js";

/** Options of {@link health}. @public */
export interface HealthOptions {
  /** How long a read may be unanswered beyond the time it blocks, ms, 100 or more. @defaultValue `30000` */
  readonly lateAfterMs?: number | undefined;
  /** How long nothing may be settled while something waits for it, ms, 100 or more. @defaultValue the source's own `stalledAfterMs` */
  readonly stalledAfterMs?: number | undefined;
  /** How long nothing may be heard of a source, ms, 2 000 or more: each says something every second. @defaultValue `10000` */
  readonly silentAfterMs?: number | undefined;
  /** How often to emit when nothing changes, ms, 10 or more. @defaultValue `1000` */
  readonly everyMs?: number | undefined;
}

/**
 * Emits whether the sources behind a status are live and ready, and why not: at once, with each change, and every `everyMs`.
 *
 * ```text
 * status$  ---p--p--p--p-------------p--p--    p: progress, as every source reports it once a second
 * result   n-n-y-y-y-y-y-y-(n)-n-n-n-y-y-y-    (n) silent: nothing was heard for `silentAfterMs`
 * ```
 *
 * Ready: a read was answered, and it is not reconnecting, draining or stopped. Live: it did not fail, it is heard of, reads are
 * answered within `lateAfterMs` unless it is starved or draining, and while something is unsettled something gets settled within
 * `stalledAfterMs`. So a server that answers PING and no reads is noticed, as are a handler that hangs and a delivery that an
 * operator dropped; an idle stream and a source that is starved while handlers work are live and ready. What is not live is not ready.
 *
 * Several sources may report to one `status$`: all of them must be live, all must be ready. A source that was drained or unsubscribed
 * does not count while there are others; one that failed counts until another begins to read the same streams for the same group.
 *
 * **Guarantee** goes by what sources say and by the local clock; sends nothing. **Order** that of time.
 * **Backpressure** none: keeps the last sign of life of each source. **Teardown** stops its timer. Completes and errors with `status$`.
 *
 * @param status$ - what the `status` observers of sources hear; subscribe before or after they start
 * @throws RangeError or TypeError at call time, with the option, the value and the range
 * @example
 * ```ts
 * const status$ = new Subject<SourceStatus>();
 * health(status$).subscribe(({ live, reasons }) => live || console.error("not live:", reasons));
 * fromGroup(redis, { stream: "orders", group: "shipping", startId: "0", status: status$ }).pipe(acknowledge(redis)).subscribe();
 * ```
 * @see docs/operations.md for an HTTP endpoint
 * @public
 */
export function health(status$: Observable<SourceStatus>, options: HealthOptions = {}): Observable<Health> {
  const { lateAfterMs = 30_000, stalledAfterMs, silentAfterMs = 10_000, everyMs = 1_000 } = options;
  const bounds: HealthBounds = {
    lateAfterMs: durationMs("lateAfterMs", lateAfterMs, 100),
    stalledAfterMs: stalledAfterMs === undefined ? undefined : durationMs("stalledAfterMs", stalledAfterMs, 100),
    silentAfterMs: durationMs("silentAfterMs", silentAfterMs, 2_000),
  };
  durationMs("everyMs", everyMs, 10);
  return defer(() => {
    let roll: Roll = new Map();
    let last = healthOf(roll, asyncScheduler.now(), bounds);
    const look = (): Health => healthOf(roll, asyncScheduler.now(), bounds);
    const changes = status$.pipe(
      filter((status) => status._tag === "progress"),
      tap((progress) => (roll = hear(roll, progress, asyncScheduler.now()))),
      map(look),
      filter((now) => !isSameVerdict(now, last)),
    );
    const beats = timer(everyMs, everyMs).pipe(map(look));
    return concat(of(last), alongside(changes, beats).pipe(tap((now) => (last = now))));
  });
}

import { retry, throwError, timer, type MonoTypeOperatorFunction, type Observable, type Observer } from "rxjs";
import type { SourceStatus } from "../model/status.js";
import { classifyError, missingGroup } from "../redis/classify-error.js";
import type { GroupRef } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";

/**
 * Asks again, for ever and with backoff, after what heals, and says so; errors with what does not.
 * @param status - hears of `reconnecting`
 * @internal
 */
export function retryTransient<A>(ref: GroupRef, status?: Pick<Observer<SourceStatus>, "next">): MonoTypeOperatorFunction<A> {
  const again = (error: unknown, attempt: number): Observable<unknown> => {
    const verdict = classifyError(error, ref);
    if (verdict._tag === "fatal") return throwError(() => verdict.error);
    if (verdict._tag === "missingGroup") return throwError(() => missingGroup(ref, error));
    const delayMs = reconnectDelayMs(attempt);
    status?.next({ _tag: "reconnecting", attempt, delayMs, cause: error });
    return timer(delayMs);
  };
  return retry({ delay: again });
}

import { retry, throwError, timer, type MonoTypeOperatorFunction, type Observable } from "rxjs";
import { classifyError, missingGroup } from "../redis/classify-error.js";
import type { GroupRef } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";

/** Asks again, for ever and with backoff, after what heals; errors with what does not. @internal */
export function retryTransient<A>(ref: GroupRef): MonoTypeOperatorFunction<A> {
  return retry({ delay: (error: unknown, failures) => again(error, ref, failures) });
}

function again(error: unknown, ref: GroupRef, failures: number): Observable<unknown> {
  const verdict = classifyError(error, ref);
  if (verdict._tag === "transient") return timer(reconnectDelayMs(failures));
  return throwError(() => (verdict._tag === "fatal" ? verdict.error : missingGroup(ref, error)));
}

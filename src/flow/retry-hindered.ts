import { retry, timer, type MonoTypeOperatorFunction, type Observable } from "rxjs";
import type { Origin } from "../model/origin.js";
import type { GroupRef } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";
import { unlessFatal } from "./unless-fatal.js";

/** Does again, for ever and with backoff, what can heal, and lets the source report why; errors with what can't. @internal */
export const retryHindered = <A>(ref: GroupRef, origin: Origin): MonoTypeOperatorFunction<A> =>
  retry({ delay: (error: unknown, failures) => pauseHindered(ref, origin, error, failures) });

/** Emits when it is to be done again. @internal */
export function pauseHindered(ref: GroupRef, origin: Origin, error: unknown, failures: number): Observable<unknown> {
  return unlessFatal(error, ref, () => {
    origin.hindered(error);
    return timer(reconnectDelayMs(failures));
  });
}

import { retry, timer, type MonoTypeOperatorFunction, type Observable } from "rxjs";
import type { Origin } from "../model/origin.js";
import type { GroupRef } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";
import { unlessFatal } from "./unless-fatal.js";

/** Does again, for ever and with backoff, what can heal, and lets the source report why; errors with what can't. @internal */
export function retryHindered<A>(ref: GroupRef, origin: Origin): MonoTypeOperatorFunction<A> {
  const again = (error: unknown, failures: number): Observable<unknown> =>
    unlessFatal(error, ref, () => {
      origin.hindered(error);
      return timer(reconnectDelayMs(failures));
    });
  return retry({ delay: again });
}

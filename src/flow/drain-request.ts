import { defer, fromEvent, NEVER, of, take, type Observable } from "rxjs";

/** Emits once when the signal is aborted, at once when it is. @internal */
export function drainRequest(signal: AbortSignal | undefined): Observable<unknown> {
  if (signal === undefined) return NEVER;
  return defer(() => (signal.aborted ? of(true) : fromEvent(signal, "abort").pipe(take(1))));
}

import { throwError, timeout, type MonoTypeOperatorFunction, type Observable } from "rxjs";

/** How much longer than BLOCK a read may be silent before its connection is given up: the server's timer is 0.1 s coarse, and it may be busy. @internal */
export const silenceMs = 5_000;

/** @internal */
export const silence = (ms: number): Error => new Error(`No answer to a read for ${ms} ms: the connection is given up`);

/** Errors when a read does not answer. @internal */
export function giveUpSilent<A>(blockMs: number): MonoTypeOperatorFunction<A> {
  const ms = blockMs + silenceMs;
  return timeout<A, Observable<never>>({ first: ms, with: () => throwError(() => silence(ms)) });
}

import { catchError, concatMap, defer, EMPTY, from, ignoreElements, merge, mergeMap, retry, tap, timer, type Observable } from "rxjs";
import type { GroupRef } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";
import type { Session } from "./session.js";
import { unlessFatal } from "./unless-fatal.js";

/** Asks and tells Redis what operators want to know of, and do for, the order of keys in the group. @internal */
export function keepOrderBook({ commands, ledger, settings }: Session): Observable<never> {
  const refTo = (stream: string): GroupRef => ({ stream, group: settings.group });
  const answers = ledger.inquiries.pipe(
    mergeMap(({ stream, questions, answer }) =>
      defer(() => from(commands.earlier(refTo(stream), questions))).pipe(retry({ delay: untilItHeals(refTo(stream)) }), tap(answer)),
    ),
  );
  const forwards = ledger.forwards.pipe(
    concatMap(({ stream, steps }) =>
      from(commands.forward(refTo(stream), steps)).pipe(
        tap((count) => count > 0 && ledger.dueIn(stream, 0)),
        catchError((error: unknown) => unlessFatal(error, refTo(stream), () => EMPTY)), // they come by themselves, a little later
      ),
    ),
  );
  return merge(answers, forwards).pipe(ignoreElements());
}

const untilItHeals =
  (ref: GroupRef) =>
  (error: unknown, failures: number): Observable<unknown> =>
    unlessFatal(error, ref, () => timer(reconnectDelayMs(failures)));

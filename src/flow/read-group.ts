import {
  AsyncSubject,
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  merge,
  of,
  repeat,
  retry,
  takeUntil,
  tap,
  throwError,
  timer,
  type Observable,
} from "rxjs";
import { classifyError } from "../redis/classify-error.js";
import type { StreamReader } from "../redis/port.js";
import { alongside } from "./alongside.js";
import { reconnectDelayMs } from "./backoff.js";
import type { Page } from "./chore.js";
import type { GroupSettings } from "./group-settings.js";
import type { Place } from "./place.js";
import { ReadTurn } from "./read-turn.js";
import { Recovery } from "./recovery.js";
import type { Session } from "./session.js";
import { whenFree } from "./when-free.js";

/** How long a server may go on feeding a read that was given up here, beyond its BLOCK. */
const ghostMs = 300;

/**
 * Reads the streams of one place until none is left: what heals is healed and reported, what does not errors. Each turn sees to
 * the groups, waits for credit, does the chores that are due, and reads once.
 *
 * @param share - of the window that one read may use
 * @internal
 */
export function readGroup(session: Session<GroupSettings>, place: Place, share: () => number): Observable<Page> {
  const { ledger, report, settings } = session;
  const recovery = new Recovery(session, place);
  const reads = new ReadTurn(session, place, recovery, share);
  let state: "new" | "reading" | "starved" | "broken" = "new";
  let failures = 0;

  const starved = (): void => {
    state = "starved";
    report({ _tag: "starved", unsettled: ledger.unsettled, unsettledBytes: ledger.bytes?.unsettled });
  };
  const reading = (): void => {
    if (state !== "reading") report({ _tag: "reading", streams: place.readable.map(({ ref }) => ref.stream) });
    state = "reading";
  };
  const answered = (): void => {
    failures = 0;
    place.answered();
  };

  const isDraining = (): boolean => settings.signal?.aborted ?? false;
  const isMissing = (error: unknown): boolean => classifyError(error, { stream: "", group: settings.group })._tag === "missingGroup";
  /** What can't be settled without its group holds the credit: waiting for that would be for ever. */
  const missed = ledger.hindrances.pipe(
    filter(isMissing),
    tap((error) => place.vanished(error)),
  );
  const credit = whenFree(ledger, starved).pipe(takeUntil(missed));
  const chores = defer(() => (isDraining() ? EMPTY : recovery.run()));
  const read = (reader: StreamReader): Observable<Page> =>
    defer(() => {
      if (place.readable.length === 0 || recovery.comesFirst || ledger.free <= 0 || isDraining()) return EMPTY;
      reading();
      return reads.run(reader).pipe(tap({ next: answered, complete: answered }));
    });
  const groupIsGone = (error: unknown): Observable<never> => {
    if (!isMissing(error)) throw error;
    state = "broken";
    place.vanished(error);
    return EMPTY;
  };
  const turn = (reader: StreamReader): Observable<Page> =>
    concat(place.tend(), place.pause(), credit, chores, read(reader)).pipe(catchError(groupIsGone));
  const isOver = (): boolean => isDraining() || place.isOver;
  const turns = using(session, (reader) => turn(reader).pipe(repeat({ delay: () => (isOver() ? EMPTY : of(true)) })));

  /** Whatever a lost reply held is pending for this consumer, and nobody will deliver it again before the lease is over. */
  const recoverOwn = (): void => recovery.recoverOwn(settings.blockMs + ghostMs);

  const heal = (error: unknown): Observable<unknown> => {
    const stream = place.readable.map(({ ref }) => ref.stream).join(", ");
    const verdict = classifyError(error, { stream, group: settings.group });
    if (verdict._tag === "fatal") return throwError(() => verdict.error);
    failures += 1;
    recoverOwn();
    const delayMs = reconnectDelayMs(failures);
    state = "broken";
    report({ _tag: "reconnecting", attempt: failures, delayMs, cause: error });
    return timer(delayMs);
  };

  const broken = session.commands.broken.pipe(
    tap(() => {
      state = "broken"; // reported with the outage; the next read says that it is over
      recoverOwn();
    }),
  );
  const noted = ledger.retries.pipe(tap(({ stream, inMs }) => recovery.noteRetry(stream, inMs)));
  const work = defer(() => (isDraining() ? EMPTY : turns)).pipe(retry({ delay: heal }));
  return alongside(work, merge(broken, noted).pipe(ignoreElements()));
}

/** Opens a reader, and drops it with everything that reads from it. */
function using(session: Session<GroupSettings>, turns: (reader: StreamReader) => Observable<Page>): Observable<Page> {
  return defer(() => {
    const reader = session.port.openReader(session.settings.payload);
    return turns(reader).pipe(finalize(() => drop(session, reader)));
  });
}

/** Teardown is synchronous; `leaveGroup` waits for what is still closing. */
function drop({ closing }: Session, reader: StreamReader): void {
  const closed = new AsyncSubject<void>();
  closing.add(closed);
  from(reader.close())
    .pipe(finalize(() => closing.delete(closed)))
    .subscribe(closed);
}

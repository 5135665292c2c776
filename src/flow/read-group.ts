import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  finalize,
  ignoreElements,
  merge,
  of,
  repeat,
  retry,
  takeUntil,
  tap,
  timer,
  type Observable,
} from "rxjs";
import { classifyError } from "../redis/classify-error.js";
import { alongside } from "./alongside.js";
import type { Page } from "./chore.js";
import { Failures } from "./failures.js";
import type { GroupSettings } from "./group-settings.js";
import type { Place } from "./place.js";
import { ReadTurn, type TurnListener } from "./read-turn.js";
import { Recovery } from "./recovery.js";
import type { Session } from "./session.js";
import { unlessFatal } from "./unless-fatal.js";
import { withReader } from "./with-reader.js";
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
  const { reader: state, close } = session.signs.openReader(settings.blockMs);
  const failures = new Failures(report);

  const starved = (): void => state.starves(ledger);
  const listener: TurnListener = {
    waits: () => state.begins(),
    answered: () => {
      failures.forget();
      state.answered();
      place.answered();
    },
  };

  const isDraining = (): boolean => settings.signal?.aborted ?? false;
  const isMissing = (error: unknown): boolean => classifyError(error, { stream: "", group: settings.group })._tag === "missingGroup";
  /** What can't be settled without its group holds the credit: waiting for that would be for ever. */
  const missed = ledger.hindrances.pipe(
    filter(isMissing),
    tap((error) => place.vanished(error)),
  );
  const credit = whenFree(ledger, starved).pipe(takeUntil(missed));
  const begin = defer(() => {
    state.begins();
    return EMPTY;
  });
  const chores = defer(() => (isDraining() ? EMPTY : recovery.run()));
  const read = (reads: ReadTurn): Observable<Page> =>
    defer(() => {
      if (place.names.length === 0 || recovery.comesFirst || ledger.free <= 0 || isDraining()) {
        if (place.names.length > 0) state.rests(); // the chores were answered
        return EMPTY;
      }
      state.reads(place.names);
      return reads.run(listener);
    });
  const groupIsGone = (error: unknown, reads: ReadTurn): Observable<Page> => {
    if (!isMissing(error)) throw error;
    state.isInterrupted();
    place.vanished(error);
    return reads.runRest(listener);
  };
  const turn = (reads: ReadTurn): Observable<Page> =>
    concat(begin, place.tend(), place.pause(), credit, begin, chores, read(reads)).pipe(
      catchError((error: unknown) => groupIsGone(error, reads)),
    );
  const isOver = (): boolean => isDraining() || place.isOver;
  const turns = withReader(session, (reader) => {
    const reads = new ReadTurn(session, reader, place, recovery, share);
    return turn(reads).pipe(
      repeat({ delay: () => (isOver() ? EMPTY : of(true)) }),
      finalize(() => reads.stop()),
    );
  });

  /** Whatever a lost reply held is pending for this consumer, and nobody will deliver it again before the lease is over. */
  const recoverOwn = (): void => recovery.recoverOwn(settings.blockMs + ghostMs);

  const heal = (error: unknown): Observable<unknown> =>
    unlessFatal(error, { stream: place.names.join(", "), group: settings.group }, () => {
      recoverOwn();
      state.breaks(error);
      return timer(failures.add(error));
    });

  const broken = session.commands.broken.pipe(
    tap(({ cause }) => {
      state.breaks(cause); // reported with the outage; the next read says that it is over
      recoverOwn();
    }),
  );
  const noted = ledger.retries.pipe(tap(({ stream, inMs }) => recovery.noteRetry(stream, inMs)));
  const work = defer(() => (isDraining() ? EMPTY : turns)).pipe(retry({ delay: heal }));
  return alongside(work, merge(broken, noted).pipe(ignoreElements())).pipe(finalize(close));
}

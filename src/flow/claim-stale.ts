import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  merge,
  mergeMap,
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
import { alongside } from "./alongside.js";
import { isDue, type Chore, type Page } from "./chore.js";
import { Failures } from "./failures.js";
import { RecoverOwn } from "./recover-own.js";
import type { Session } from "./session.js";
import { streamsOf } from "./streams-of.js";
import { SweepStale, type SweepPace } from "./sweep-stale.js";
import { whenFree } from "./when-free.js";

/** Takes over what other consumers left behind, and reads nothing new. @internal */
export function claimStale(session: Session, pace: SweepPace): Observable<Page> {
  const { joined, settings, signs } = session;
  return defer(() => {
    const claiming = new Map<string, { isOver: boolean }>();
    const start = (stream: string): Observable<Page> => {
      const life = { isOver: false };
      claiming.set(stream, life);
      joined.add(stream);
      return claimFrom(session, stream, pace, life);
    };
    const arrange = (streams: readonly string[]): Observable<Page> => {
      signs.follows(streams);
      for (const [stream, life] of claiming) {
        if (streams.includes(stream)) continue;
        life.isOver = true; // after its turn: an answer that is under way would be lost
        claiming.delete(stream);
      }
      return merge(...streams.filter((stream) => !claiming.has(stream)).map(start));
    };
    return streamsOf(settings.streams).pipe(mergeMap(arrange));
  });
}

/** A group that does not exist has nothing pending: it is looked for again with the next walk. */
function claimFrom(session: Session, stream: string, pace: SweepPace, life: { readonly isOver: boolean }): Observable<Page> {
  const { commands, ledger, report, settings, signs } = session;
  const ref = { stream, group: settings.group, consumer: session.consumer };
  const own = new RecoverOwn(session, ref);
  const chores: readonly Chore[] = [own, new SweepStale(session, ref, own, pace)];
  const { reader: state, close } = signs.openReader(0);
  const failures = new Failures(report);

  const isDraining = (): boolean => life.isOver || (settings.signal?.aborted ?? false);
  const starved = (): void => state.starves(ledger);
  const begin = defer(() => {
    state.begins();
    state.reads([stream]);
    return EMPTY;
  });
  const run = (chore: Chore): Observable<Page> => defer(() => (isDue(chore) && ledger.free > 0 && !isDraining() ? chore.run() : EMPTY));
  const rest = defer(() => timer(Math.max(1, Math.min(...chores.map(({ at }) => at)) - asyncScheduler.now()))).pipe(
    ignoreElements(),
    takeUntil(commands.broken), // to be answered again as soon as the connection is back
  );
  const turn = concat(
    whenFree(ledger, starved),
    begin,
    ...chores.map(run),
    defer(() => {
      failures.forget();
      state.answered();
      return isDraining() ? EMPTY : rest;
    }),
  );

  const heal = (error: unknown): Observable<unknown> => {
    const verdict = classifyError(error, ref);
    if (verdict._tag === "fatal") return throwError(() => verdict.error);
    if (verdict._tag === "missingGroup") {
      state.answered();
      return timer(pace.everyMs);
    }
    own.plan(); // the answer that was lost may have taken entries over
    state.breaks(error);
    return timer(failures.add(error));
  };
  const broken = commands.broken.pipe(
    tap(({ cause }) => {
      state.breaks(cause);
      own.plan();
    }),
    ignoreElements(),
  );
  const turns = turn.pipe(repeat({ delay: () => (isDraining() ? EMPTY : of(true)) }), retry({ delay: heal }));
  return alongside(turns, broken).pipe(finalize(close));
}

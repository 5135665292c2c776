import {
  AsyncSubject,
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  merge,
  of,
  repeat,
  retry,
  tap,
  throwError,
  timer,
  type Observable,
} from "rxjs";
import { classifyError, missingGroup } from "../redis/classify-error.js";
import type { StreamReader } from "../redis/port.js";
import { alongside } from "./alongside.js";
import { reconnectDelayMs } from "./backoff.js";
import type { Page } from "./chore.js";
import { GroupKeeper } from "./group-keeper.js";
import { ReadTurn } from "./read-turn.js";
import { Recovery } from "./recovery.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";
import { whenFree } from "./when-free.js";

/** How long a server may go on feeding a read that was given up here, beyond its BLOCK. */
const ghostMs = 300;

/** Reads all streams of a source, those that one command can read together with one reader. @internal */
export function readGroups(session: Session<GroupSettings>): Observable<Page> {
  const { port, settings } = session;
  const sets = port.together(settings.streams);
  const share = Math.max(1, Math.floor(settings.maxInFlight / sets.length));
  return merge(...sets.map((streams) => readGroup(session, streams, share)));
}

/**
 * Reads streams that one command can read together, for ever: what heals is healed and reported, what does not errors.
 * Each turn waits for credit, does the chores that are due, and reads once.
 */
function readGroup(session: Session<GroupSettings>, streams: readonly string[], share: number): Observable<Page> {
  const { ledger, report } = session;
  const recovery = new Recovery(session, streams);
  const reads = new ReadTurn(session, streams, recovery, share);
  const groups = new GroupKeeper(session, streams, reads);
  let state: "new" | "reading" | "starved" | "broken" = "new";
  let failures = 0;

  const starved = (): void => {
    state = "starved";
    report({ _tag: "starved", unsettled: ledger.unsettled });
  };
  const reading = (): void => {
    if (state !== "reading") report({ _tag: "reading", streams });
    state = "reading";
  };
  const answered = (): void => void (failures = 0);

  const isDraining = (): boolean => session.settings.signal?.aborted ?? false;
  const chores = defer(() => (isDraining() ? EMPTY : recovery.run()));
  const read = (reader: StreamReader): Observable<Page> =>
    defer(() => {
      if (recovery.comesFirst || ledger.free <= 0 || isDraining()) return EMPTY;
      reading();
      return reads.run(reader).pipe(tap({ next: answered, complete: answered }));
    });
  const turn = (reader: StreamReader): Observable<Page> => concat(whenFree(ledger, starved), chores, read(reader));
  const turns = using(session, (reader) => turn(reader).pipe(repeat({ delay: () => (isDraining() ? EMPTY : of(true)) })));

  /** Whatever a lost reply held is pending for this consumer, and nobody will deliver it again before the lease is over. */
  const recoverOwn = (): void => recovery.recoverOwn(session.settings.blockMs + ghostMs);

  const heal = (error: unknown): Observable<unknown> => {
    const verdict = classifyError(error, { stream: streams.join(", "), group: session.settings.group });
    if (verdict._tag === "fatal") return throwError(() => verdict.error);
    const isMissing = verdict._tag === "missingGroup";
    if (isMissing && !groups.mayRecreate)
      return throwError(() => missingGroup({ stream: streams.join(", "), group: session.settings.group }, error));
    failures += 1;
    recoverOwn();
    if (isMissing) groups.lost();
    if (isMissing && failures === 1) return timer(0);
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
  const work = defer(() => (isDraining() ? EMPTY : concat(groups.ensure(), turns))).pipe(retry({ delay: heal }));
  return alongside(work, merge(broken, noted).pipe(ignoreElements()));
}

/** Opens a reader, and drops it with everything that reads from it. */
function using(session: Session<GroupSettings>, turns: (reader: StreamReader) => Observable<Page>): Observable<Page> {
  return defer(() => {
    const reader = session.port.openReader();
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

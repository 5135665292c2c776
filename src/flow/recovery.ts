import { asyncScheduler, concat, defer, EMPTY, Subject, tap, type Observable } from "rxjs";
import { isDue, type Chore, type Page } from "./chore.js";
import { RecoverOwn } from "./recover-own.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";
import { SweepStale } from "./sweep-stale.js";
import { TakeDue } from "./take-due.js";

/** A lease's time sees so many walks of the PEL. */
const sweepsPerLease = 4;

/** The chores of the streams that one reader reads. It says when it wants to run; the read loop lets it. @internal */
export class Recovery {
  readonly #session: Session<GroupSettings>;
  readonly #own = new Map<string, RecoverOwn>();
  readonly #due = new Map<string, TakeDue>();
  readonly #sweeps: SweepStale[] = [];
  readonly #rescheduled = new Subject<void>();
  #hasSwept = false;

  constructor(session: Session<GroupSettings>, streams: readonly string[]) {
    const { recover, leaseMs } = session.settings;
    const pace = { minIdleMs: leaseMs, everyMs: recover ? leaseMs / sweepsPerLease : Infinity };
    this.#session = session;
    for (const stream of streams) {
      const ref = { stream, group: session.settings.group, consumer: session.consumer };
      const own = new RecoverOwn(session, ref);
      this.#own.set(stream, own);
      this.#due.set(stream, new TakeDue(session, ref));
      this.#sweeps.push(new SweepStale(session, ref, own, pace));
    }
  }

  /** Emits when a retry is due earlier than was known. */
  get rescheduled(): Observable<void> {
    return this.#rescheduled;
  }

  /** Ms until any chore is due; 0 when one is. */
  get nextInMs(): number {
    return untilFirst([...this.#own.values(), ...this.#due.values(), ...this.#sweeps]);
  }

  /** Ms until a retry is due, or is to be looked for. */
  get nextDueInMs(): number {
    return untilFirst([...this.#due.values()]);
  }

  /** True while own entries are to be recovered: they are older than anything new. */
  get comesFirst(): boolean {
    return [...this.#own.values()].some(isDue);
  }

  /** Looks for own entries in nobody's hands, now and once more in `againInMs`. */
  recoverOwn(againInMs: number): void {
    for (const own of this.#own.values()) own.plan(againInMs);
  }

  noteRetry(stream: string, inMs: number): void {
    const due = this.#due.get(stream);
    if (due === undefined || due.at <= asyncScheduler.now() + inMs) return;
    due.plan(inMs);
    this.#rescheduled.next();
  }

  /**
   * One page of each chore that is due, while there is credit. After a sweep that found something the next turn goes to the read
   * alone, so that a long backlog of stale entries does not keep new ones waiting.
   */
  run(): Observable<Page> {
    const sweeps = this.#hasSwept ? [] : this.#sweeps;
    this.#hasSwept = false;
    const swept = this.#each(sweeps, 1).pipe(tap((page) => (this.#hasSwept ||= page.length > 0)));
    return concat(this.#each([...this.#own.values(), ...this.#due.values()], 1), swept);
  }

  /**
   * The retries that are due. Safe while a read is under way, because they are pending already. With all credit set aside for
   * that read it only looks, and by looking wakes a server that would end the blocked read up to 100 ms late.
   */
  runDue(): Observable<Page> {
    return this.#each([...this.#due.values()], 0);
  }

  #each(chores: readonly Chore[], leastCredit: number): Observable<Page> {
    const whenDue = (chore: Chore): Observable<Page> =>
      defer(() => (isDue(chore) && this.#session.ledger.free >= leastCredit ? chore.run() : EMPTY));
    return concat(...chores.map(whenDue));
  }
}

function untilFirst(chores: readonly Chore[]): number {
  const first = chores.reduce((least, chore) => Math.min(least, chore.at), Infinity);
  return Math.max(0, first - asyncScheduler.now());
}

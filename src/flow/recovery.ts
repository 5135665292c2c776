import { asyncScheduler, concat, defer, EMPTY, Subject, tap, type Observable } from "rxjs";
import { isDue, type Chore, type Page } from "./chore.js";
import type { FollowedStream } from "./followed-stream.js";
import { LookForDue } from "./look-for-due.js";
import type { Place } from "./place.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";

/** Walks of the PEL that may take a step between two reads. */
const sweepsPerTurn = 16;

/** The chores of the streams that one reader reads. It says when it wants to run; the read loop lets it. @internal */
export class Recovery {
  readonly #session: Session<GroupSettings>;
  readonly #place: Place;
  readonly #look: LookForDue;
  readonly #rescheduled = new Subject<void>();
  #hasSwept = false;

  constructor(session: Session<GroupSettings>, place: Place) {
    this.#session = session;
    this.#place = place;
    this.#look = new LookForDue(session, place);
  }

  /** Emits when a retry is due earlier than was known. */
  get rescheduled(): Observable<void> {
    return this.#rescheduled;
  }

  /** Ms until a read is to make way for a chore; 0 when one is due. A look for retries needs no turn. */
  get nextInMs(): number {
    let first = Infinity;
    for (const { own, due, sweep } of this.#place.readable) first = Math.min(first, own.at, due.at, sweep.at);
    return untilMs(first);
  }

  /** Ms until retries are to be looked for. */
  get nextLookInMs(): number {
    return untilMs(this.#look.at);
  }

  /** Ms until a retry is due, or is to be looked for. */
  get nextDueInMs(): number {
    let first = this.#look.at;
    for (const { due } of this.#place.readable) first = Math.min(first, due.at);
    return untilMs(first);
  }

  /** True while own entries are to be recovered: they are older than anything new. */
  get comesFirst(): boolean {
    return this.#place.readable.some(({ own }) => isDue(own));
  }

  /** Looks for own entries in nobody's hands, now and once more in `againInMs`. */
  recoverOwn(againInMs: number): void {
    for (const { own } of this.#place.readable) own.plan(againInMs);
  }

  noteRetry(stream: string, inMs: number): void {
    const due = this.#place.get(stream)?.due;
    if (due === undefined || due.at <= asyncScheduler.now() + inMs) return;
    due.plan(inMs);
    this.#rescheduled.next();
  }

  /**
   * One page of each chore that is due, while there is credit. After a sweep that found something the next turn goes to the read
   * alone, so that a long backlog of stale entries does not keep new ones waiting. While own entries are left nothing else is taken.
   */
  run(): Observable<Page> {
    const mayNotSweep = this.#hasSwept;
    this.#hasSwept = false;
    const own = defer(() => this.#each(({ own }) => own, 1));
    const due = defer(() => this.#each(({ due }) => due, 1));
    const swept = defer(() => this.#each(({ sweep }) => sweep, 1, sweepsPerTurn)).pipe(tap((page) => (this.#hasSwept ||= page.length > 0)));
    const others = defer(() => (this.comesFirst ? EMPTY : concat(due, mayNotSweep ? EMPTY : swept)));
    return concat(this.#looked(), own, others);
  }

  /**
   * The retries that are due. Safe while a read is under way, because they are pending already. With all credit set aside for
   * that read it only looks, and by looking wakes a server that would end the blocked read up to 100 ms late.
   */
  runDue(): Observable<Page> {
    return concat(
      this.#looked(),
      defer(() => this.#each(({ due }) => due, 0)),
    );
  }

  #looked(): Observable<never> {
    return defer(() => (isDue(this.#look) ? this.#look.run() : EMPTY));
  }

  #each(of: (stream: FollowedStream) => Chore, leastCredit: number, most: number = Infinity): Observable<Page> {
    const chores = this.#place.readable.map(of).filter(isDue).slice(0, most);
    const whenFree = (chore: Chore): Observable<Page> => defer(() => (this.#session.ledger.free >= leastCredit ? chore.run() : EMPTY));
    return concat(...chores.map(whenFree));
  }
}

const untilMs = (at: number): number => Math.max(0, at - asyncScheduler.now());

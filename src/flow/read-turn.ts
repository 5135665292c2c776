import {
  asyncScheduler,
  BehaviorSubject,
  defer,
  EMPTY,
  filter,
  from,
  ignoreElements,
  map,
  merge,
  of,
  repeat,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
  type Observable,
} from "rxjs";
import { EntryIdOrd, type EntryId } from "../model/entry-id.js";
import { readPlan, type ReadPlan } from "../model/read-plan.js";
import type { RawEntry, StreamPage, StreamReader } from "../redis/port.js";
import type { Page } from "./chore.js";
import type { Recovery } from "./recovery.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";

/** How much longer than BLOCK a read may be silent before its connection is given up: the server's timer is 0.1 s coarse, and it may be busy. */
const silenceMs = 5_000;
/** First and longest rest after reads that came back at once with nothing, as a stream does whose entries are deleted as they come. */
const restMs = { first: 5, longest: 250 } as const;

/** Pause between looks while there is no credit to take the retries that are due. */
const noCreditMs = 20;

/** The reads of one set of streams, one at a time; it remembers what it was given. @internal */
export class ReadTurn {
  /** The greatest id given, per stream. */
  readonly lastSeen: Map<string, EntryId> = new Map();
  readonly #session: Session<GroupSettings>;
  readonly #streams: readonly string[];
  readonly #recovery: Recovery;
  readonly #share: number;
  #turn = 0;
  #emptyInARow = 0;

  /** @param share - of the window that one read may use, so that several readers do not starve each other */
  constructor(session: Session<GroupSettings>, streams: readonly string[], recovery: Recovery, share: number) {
    this.#session = session;
    this.#streams = streams;
    this.#recovery = recovery;
    this.#share = share;
  }

  /** One read within the credit, and the retries that fall due while it is blocked. */
  run(reader: StreamReader): Observable<Page> {
    return defer(() => {
      const over = new BehaviorSubject(false); // asked as well: it may come while a retry is being taken
      const end = (): void => over.next(true);
      const read = this.#read(reader).pipe(tap({ complete: end, error: end }));
      return merge(this.#retriesUntil(over), read);
    });
  }

  #read(reader: StreamReader): Observable<Page> {
    const { ledger, settings, consumer } = this.#session;
    const plan = readPlan({
      streams: this.#streams,
      turn: (this.#turn += 1),
      credit: Math.min(ledger.free, this.#share),
      nextChoreInMs: this.#recovery.nextInMs,
      blockMs: settings.blockMs,
    });
    const begun = asyncScheduler.now();
    const answer = from(reader.read({ group: settings.group, consumer, ...plan })).pipe(
      giveUpAfter((plan.blockMs ?? 0) + silenceMs),
      map((pages) => this.#admit(pages)),
    );
    return ledger
      .reserving(plan.count * plan.streams.length, answer)
      .pipe(switchMap((page) => (page.length > 0 ? this.#hand(page) : this.#rest(plan, asyncScheduler.now() - begun))));
  }

  #hand(page: Page): Observable<Page> {
    this.#emptyInARow = 0;
    return of(page);
  }

  #rest({ blockMs, choresWait }: ReadPlan, tookMs: number): Observable<never> {
    const waited = blockMs !== undefined && tookMs >= blockMs / 2;
    this.#emptyInARow = waited || choresWait ? 0 : this.#emptyInARow + 1;
    if (this.#emptyInARow === 0) return EMPTY;
    return timer(Math.min(restMs.longest, restMs.first * 2 ** Math.min(this.#emptyInARow, 10))).pipe(ignoreElements());
  }

  #admit(pages: readonly StreamPage[]): Page {
    const { ledger, settings, consumer } = this.#session;
    const admitted = pages.map(({ stream, entries }) => {
      const repeats = this.#goesBack(stream, entries) ? ledger.open(stream) : undefined;
      return ledger.admit({ stream, group: settings.group, consumer }, entries, repeats);
    });
    return admitted.length === 1 ? admitted[0]! : admitted.flat();
  }

  /** After XGROUP SETID, or when the group was made again, entries come that may be open here: they are not handed out twice. */
  #goesBack(stream: string, entries: readonly RawEntry[]): boolean {
    const seen = this.lastSeen.get(stream);
    const last = entries[entries.length - 1]![0];
    if (seen === undefined || EntryIdOrd.compare(last, seen) > 0) this.lastSeen.set(stream, last);
    return seen !== undefined && EntryIdOrd.compare(entries[0]![0], seen) <= 0;
  }

  /** Never cut short while it takes entries over: the answer would be lost. */
  #retriesUntil(over: BehaviorSubject<boolean>): Observable<Page> {
    const { ledger } = this.#session;
    const waitMs = (dueInMs: number): number => (dueInMs > 0 || ledger.free > 0 ? dueInMs + 1 : noCreditMs);
    const due = defer(() => merge(timer(waitMs(this.#recovery.nextDueInMs)), this.#recovery.rescheduled));
    const alarm = due.pipe(take(1), takeUntil(over.pipe(filter(Boolean))));
    return alarm.pipe(
      switchMap(() => this.#recovery.runDue()),
      repeat({ delay: () => (over.value ? EMPTY : of(true)) }),
    );
  }
}

const giveUpAfter = <A>(ms: number): ((source: Observable<A>) => Observable<A>) =>
  timeout<A, Observable<never>>({
    first: ms,
    with: () => throwError(() => new Error(`No answer to a read for ${ms} ms: the connection is given up`)),
  });

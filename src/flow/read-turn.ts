import { asyncScheduler, defer, EMPTY, ignoreElements, map, timer, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import { readPlan, spareOf, type ReadPlan } from "../model/read-plan.js";
import type { StreamPage, StreamReader } from "../redis/port.js";
import { answersInTurn } from "./answers-in-turn.js";
import type { Page } from "./chore.js";
import { ConfirmClaims } from "./confirm-claims.js";
import type { Place } from "./place.js";
import { ReadAhead } from "./read-ahead.js";
import type { Recovery } from "./recovery.js";
import type { GroupSettings } from "./group-settings.js";
import type { SentRead } from "./sent-read.js";
import type { Session } from "./session.js";
import { withRetries } from "./with-retries.js";

/** First and longest rest after reads that came back at once with nothing, as a stream does whose entries are deleted as they come. */
const restMs = { first: 5, longest: 250 } as const;

/** Reads that are sent behind the one that is waited for, so that Redis has the next one at hand while a page is handed on. */
const mostAhead = 2;
/** Shorter pages are not worth it; the entries of longer ones are not settled before the garbage collector moves them. */
const pageAhead = { least: 64, most: 500 } as const;

const nothingFull: ReadonlySet<string> = new Set();

/** Hears of the reads alone: retries go over another connection. @internal */
export interface TurnListener {
  readonly waits: () => void;
  readonly answered: () => void;
}

/** The reads of one place: one at a time, more while pages come back full. @internal */
export class ReadTurn {
  readonly #session: Session<GroupSettings>;
  readonly #place: Place;
  readonly #recovery: Recovery;
  readonly #share: () => number;
  readonly #confirm: ConfirmClaims;
  readonly #ahead: ReadAhead;
  /** Streams that hold more than they were asked for. */
  #full: ReadonlySet<string> = nothingFull;
  #turn = 0;
  #emptyInARow = 0;
  /** The last read brought something. */
  #isFlowing = false;

  /** @param share - of the window that one read may use, so that several readers do not starve each other */
  constructor(session: Session<GroupSettings>, reader: StreamReader, place: Place, recovery: Recovery, share: () => number) {
    this.#ahead = new ReadAhead(reader, session.ledger);
    this.#session = session;
    this.#place = place;
    this.#recovery = recovery;
    this.#share = share;
    this.#confirm = new ConfirmClaims(session, place);
  }

  /**
   * The answer to a read that is sent now, and to those that are sent ahead meanwhile, until none is under way: before that, what they
   * hold is nobody's yet, so own entries can't be told from it. And the retries that fall due while a read is blocked.
   */
  run(listener: TurnListener): Observable<Page> {
    return defer(() => {
      this.#send();
      const next = (): SentRead | undefined => {
        this.#sendNext();
        return this.#next(listener);
      };
      return withRetries(this.#answers(listener, next, false), this.#recovery, this.#session.ledger);
    });
  }

  /** The answers to what was sent behind a read that was refused; what refuses them is no news. */
  runRest(listener: TurnListener): Observable<Page> {
    return this.#answers(listener, () => this.#next(listener), true);
  }

  /** The connection is given up. */
  stop(): void {
    this.#ahead.drop();
  }

  #send(): void {
    const { settings, consumer } = this.#session;
    const { mode } = this.#place;
    const claimIdleMs = mode.next();
    const plan = this.#plan(mode.isOn && claimIdleMs === undefined, this.#ahead.claims && claimIdleMs !== undefined);
    this.#ahead.send({ plan, group: settings.group, consumer, claimIdleMs });
  }

  #answers(listener: TurnListener, next: () => SentRead | undefined, passesOver: boolean): Observable<Page> {
    this.#isFlowing = false;
    return answersInTurn({
      next,
      answered: () => listener.answered(),
      open: (sent, pages) => this.#open(sent, pages),
      flows: () => this.#flow(),
      rest: (sent) => this.#rest(sent),
      passesOver,
    });
  }

  #next({ waits }: TurnListener): SentRead | undefined {
    const sent = this.#ahead.next();
    if (sent !== undefined) waits();
    return sent;
  }

  #open({ plan }: SentRead, pages: readonly StreamPage[]): Page | Observable<Page> {
    this.#note(plan, pages, this.#ahead.claims);
    return pages.some(hasClaimed) ? this.#confirm.keep(pages).pipe(map((kept) => this.#admit(kept))) : this.#admit(pages);
  }

  #flow(): void {
    this.#isFlowing = true;
    this.#emptyInARow = 0;
    if (this.#isDeep) this.#sendAhead(mostAhead, this.#portion);
  }

  /** A page was handed on, so there may be more by now; not where credit is short, because that would bring little. */
  #sendNext(): void {
    if (this.#isFlowing && this.#session.ledger.bytes === undefined) this.#sendAhead(1, this.#share() / 4);
  }

  /** Where there is credit for it, and nothing to do between two reads. */
  #sendAhead(most: number, credit: number): void {
    const { ledger, settings } = this.#session;
    const nothingElse = this.#place.isSteady && Math.min(this.#recovery.nextInMs, this.#recovery.nextLookInMs) > 0;
    if (!nothingElse || (settings.signal?.aborted ?? false)) return;
    while (this.#ahead.size < most && ledger.free >= credit) this.#send();
  }

  /** So much of the window a read takes while others are under way. */
  get #portion(): number {
    return Math.min(pageAhead.most, Math.floor(this.#share() / 4));
  }

  /** More is there than one read brings. With a limit in bytes reads are not divided: they are small as it is. */
  get #isDeep(): boolean {
    return this.#full.size > 0 && this.#portion >= pageAhead.least && this.#session.ledger.bytes === undefined;
  }

  /** @param inPassing - between two that claim: nothing stale would wake it, so it is not to block */
  #plan(inPassing: boolean, claims: boolean): ReadPlan {
    const { mode, names } = this.#place;
    const full = this.#full.size === 0 ? [] : names.filter((stream) => this.#full.has(stream));
    const credit = this.#session.ledger.freeFor(this.#isDeep ? this.#portion : this.#share());
    const spare = mode.isOn || full.length > 0 ? 0 : spareOf(credit);
    const canTake = mode.isOn || spare > 0; // what becomes due while it blocks
    return readPlan({
      streams: names,
      full,
      turn: (this.#turn += 1),
      credit,
      spare,
      nextChoreInMs: inPassing ? 0 : Math.min(this.#recovery.nextInMs, canTake ? Infinity : this.#recovery.nextLookInMs),
      blockMs: this.#session.settings.blockMs,
      claims,
    });
  }

  #note({ count }: ReadPlan, pages: readonly StreamPage[], claims: boolean): void {
    const full = pages.filter(({ entries }) => entries.length >= count);
    this.#full = full.length === 0 ? nothingFull : new Set(full.map(({ stream }) => stream));
    this.#session.ledger.claimIdleMs = claims ? this.#session.settings.leaseMs : undefined;
    this.#place.mode.answered(claims, pages.some(hasClaimed) ? "claimed" : full.length > 0 ? "full" : "some");
  }

  #rest({ plan: { blockMs, choresWait }, sentAt }: SentRead): Observable<never> {
    this.#isFlowing = false;
    const waited = blockMs !== undefined && asyncScheduler.now() - sentAt >= blockMs / 2;
    this.#emptyInARow = waited || choresWait ? 0 : this.#emptyInARow + 1;
    if (this.#emptyInARow === 0) return EMPTY;
    return timer(Math.min(restMs.longest, restMs.first * 2 ** Math.min(this.#emptyInARow, 10))).pipe(ignoreElements());
  }

  #admit(pages: readonly StreamPage[]): Page {
    const { ledger, settings, consumer } = this.#session;
    const admitted = pages.map((page) => {
      const lease = { stream: page.stream, group: settings.group, consumer, isAgain: hasClaimed(page) };
      return ledger.admit(lease, page.entries, this.#repeatsOf(page));
    });
    return admitted.length === 1 ? admitted[0]! : admitted.flat();
  }

  /** After XGROUP SETID, or when the group was made again, entries come that may be open here: they are not handed out twice. */
  #repeatsOf({ stream, entries, claimed = 0 }: StreamPage): ReadonlySet<EntryId> | undefined {
    const first = entries[claimed];
    if (first === undefined) return undefined;
    const goesBack = this.#place.get(stream)?.group.seen(first[0], entries[entries.length - 1]![0]) ?? true;
    return goesBack ? this.#session.ledger.open(stream) : undefined;
  }
}

const hasClaimed = ({ claimed = 0 }: StreamPage): boolean => claimed > 0;

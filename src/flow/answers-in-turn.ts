import { isObservable, Observable, Subscription, type Subscriber } from "rxjs";
import type { StreamPage } from "../redis/port.js";
import type { Page } from "./chore.js";
import { Patience } from "./patience.js";
import type { ReadAnswer, SentRead } from "./sent-read.js";

/** What is made of the reads of a turn. @internal */
export interface TurnSteps {
  /** The read that is to be waited for now; undefined: the turn is over. */
  readonly next: () => SentRead | undefined;
  /** One was answered. Whoever hears of it may leave. */
  readonly answered: () => void;
  /** The deliveries that an answer brings, now or when it has been looked through. */
  readonly open: (sent: SentRead, pages: readonly StreamPage[]) => Page | Observable<Page>;
  /** It has brought some, which are handed on now. */
  readonly flows: () => void;
  /** It has brought none: completes when it is time for another. */
  readonly rest: (sent: SentRead) => Observable<never>;
  /** Whether a read that fails is passed over. */
  readonly passesOver: boolean;
}

/**
 * Emits what reads bring, one after the other, until none is under way. Written out, because all of it is done for each page: as a chain
 * of operators that are subscribed anew it took more time than an answer of a few entries, and 27 kB.
 * @internal
 */
export function answersInTurn(steps: TurnSteps): Observable<Page> {
  return new Observable((subscriber) => {
    const answers = new AnswersInTurn(steps, subscriber);
    subscriber.add(() => answers.stop());
    answers.go();
  });
}

class AnswersInTurn {
  readonly #steps: TurnSteps;
  readonly #subscriber: Subscriber<Page>;
  readonly #patience = new Patience((error) => this.#fail(error));
  /** The read that is waited for. */
  #sent: SentRead | undefined;
  /** Between an answer and the next read: the look through what it has claimed, or a rest. */
  #pause: Subscription | undefined;
  #isReady = true;
  #isGoing = false;

  constructor(steps: TurnSteps, subscriber: Subscriber<Page>) {
    this.#steps = steps;
    this.#subscriber = subscriber;
  }

  /** A loop, so that answers that are there already leave the stack flat. */
  go(): void {
    if (this.#isGoing) return;
    this.#isGoing = true;
    while (this.#isReady && !this.#subscriber.closed) this.#attempt(() => this.#next());
    this.#isGoing = false;
  }

  stop(): void {
    this.#patience.stop();
    this.#pause?.unsubscribe();
    this.#sent?.forget();
  }

  #next(): void {
    this.#isReady = false;
    this.#sent = this.#steps.next();
    if (this.#sent === undefined) return this.#subscriber.complete();
    this.#patience.begin(this.#sent.plan.blockMs ?? 0);
    this.#sent.whenAnswered(this.#answered);
  }

  readonly #answered = (answer: ReadAnswer): void => {
    this.#patience.end();
    if (answer._tag === "failed") this.#fail(answer.error);
    else this.#attempt(() => this.#open(this.#sent!, answer.pages));
  };

  #open(sent: SentRead, pages: readonly StreamPage[]): void {
    this.#steps.answered();
    if (this.#subscriber.closed) return; // what it brought is nobody's: who leaves hands it back
    const opened = this.#steps.open(sent, pages);
    if (!isObservable(opened)) return this.#hand(sent, opened);
    let page: Page = [];
    this.#pause = opened.subscribe({
      next: (some) => (page = some),
      error: (error: unknown) => this.#fail(error),
      complete: () => this.#attempt(() => this.#hand(sent, page)),
    });
  }

  #hand(sent: SentRead, page: Page): void {
    sent.release();
    if (page.length === 0) return this.#rest(sent);
    this.#steps.flows();
    this.#subscriber.next(page);
    this.#goOn();
  }

  #rest(sent: SentRead): void {
    this.#pause = this.#steps.rest(sent).subscribe({
      error: (error: unknown) => this.#fail(error),
      complete: () => this.#goOn(),
    });
  }

  #goOn(): void {
    this.#isReady = true;
    this.go();
  }

  #fail(error: unknown): void {
    this.#sent?.forget();
    if (this.#steps.passesOver) this.#goOn();
    else this.#subscriber.error(error);
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }
}

import { chunksOf } from "fp-ts/lib/ReadonlyArray.js";
import { asapScheduler, asyncScheduler, exhaustMap, interval, Subject, takeUntil, timer, type OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import type { StreamCommands } from "../redis/port.js";
import { renewClaims, takeClaims } from "./ask-for-claims.js";
import { HeldClaim, type ClaimBook } from "./claim-book.js";
import { operate } from "./operate.js";
import { OriginWatch } from "./watch-origins.js";

/** @internal */
export interface RepeatSettings<A> {
  readonly commands: StreamCommands;
  readonly book: ClaimBook;
  /** The claim that a delivery has to have; a decision where it can't have one. */
  readonly wish: (delivery: Delivery<A>) => HeldClaim | Flow<A>;
  readonly claimMs: number;
  readonly waitMs: number;
}

/** What waits for its turn: the claim that a delivery wants, or what passes as it is. */
type Waiting<A> = HeldClaim | Flow<A>;

/** What was asked for in one round trip. */
interface Question<A> {
  readonly items: readonly Waiting<A>[];
  isAnswered: boolean;
}

const renewalsPerClaim = 3;
/** What one question is about at most: a call of the script. So the first of many can be handled while the server looks at the others. */
const mostPerQuestion = 500;
/** So much does not wait until the questions under way are answered. */
const enoughForOne = 200;

/**
 * Lets a delivery pass when it has claimed its key, and decides about the repeats, in order of arrival. What arrives in one loop is asked
 * for together; a few that arrive while questions are under way go together behind these.
 * @internal
 */
export function checkRepeats<A>(settings: RepeatSettings<A>): OperatorFunction<Flow<A>, Flow<A>> {
  const { commands, book, wish, claimMs } = settings;
  return operate((subscriber) => {
    let waiting: Waiting<A>[] = [];
    const questions: Question<A>[] = [];
    let [isStarting, isEmitting, ended] = [false, false, false];
    const abandoned = new Subject<void>();
    const origins = new OriginWatch(() => ({ abandoned: () => abandoned.next() }));

    const isBusy = (): boolean => isStarting || questions.length > 0;
    const emitAnswered = (): void => {
      if (isEmitting) return;
      isEmitting = true;
      while (questions[0]?.isAnswered === true) {
        for (const item of questions[0].items) subscriber.next(item instanceof HeldClaim ? verdict(settings, item) : item);
        questions.shift(); // now, because what arrived meanwhile must not overtake
      }
      isEmitting = false;
      if (waiting.length > 0 && questions.length === 0) start();
      else if (ended && !isBusy()) subscriber.complete();
    };
    const ask = (items: readonly Waiting<A>[]): void => {
      const question: Question<A> = { items, isAnswered: false };
      questions.push(question);
      const asked = takeClaims(commands, unknownTo(book, items), claimMs).pipe(takeUntil(abandoned));
      const complete = (): void => {
        question.isAnswered = true;
        emitAnswered();
      };
      subscriber.add(asked.subscribe({ error: (error: unknown) => subscriber.error(error), complete }));
    };
    const start = (): void => {
      if (isStarting) return;
      isStarting = true;
      const askAll = (): void => {
        const items = waiting; // all that came in one loop
        waiting = [];
        for (const some of chunksOf(mostPerQuestion)(items)) ask(some);
        isStarting = false;
        emitAnswered();
      };
      // eslint-disable-next-line rxjs-x/no-ignored-error -- a timer has no error
      subscriber.add(timer(0, asapScheduler).subscribe(askAll));
    };
    const renewal = interval(claimMs / renewalsPerClaim).pipe(exhaustMap(() => renewClaims(commands, book.claims, claimMs)));

    subscriber.add(() => origins.stop());
    subscriber.add(renewal.subscribe({ error: (error: unknown) => subscriber.error(error) }));
    return {
      next: (item) => {
        const wanted = item._tag === "Settled" ? item : wish(item);
        if (wanted instanceof HeldClaim) origins.see(wanted.delivery);
        else if (!isBusy()) return subscriber.next(wanted);
        waiting.push(wanted);
        if (questions.length === 0 || waiting.length >= enoughForOne) start();
      },
      complete: () => {
        ended = true;
        if (!isBusy()) subscriber.complete();
      },
    };
  });
}

/** The keys that Redis has to be asked for, each once. */
const unknownTo = (book: ClaimBook, items: readonly Waiting<unknown>[]): HeldClaim[] =>
  items.filter((item): item is HeldClaim => item instanceof HeldClaim && item.held.state === "open" && book.ask(item));

/** In order: what one item of the loop claims is taken for the next. */
function verdict<A>({ book, waitMs }: RepeatSettings<A>, wish: HeldClaim): Flow<A> {
  const { held, place, answer = wish.behind?.answer } = wish;
  const delivery = wish.delivery as Delivery<A>;
  if (held.state === "open" && wish.answer?._tag === "taken") {
    book.hold(wish);
    return delivery;
  }
  book.drop(wish);
  if (held.state !== "open") return settle.release(delivery);
  if (answer?._tag === "done") book.remember(place, asyncScheduler.now() + answer.forMs);
  return answer?._tag === "done" || book.isDone(place) ? settle.ack(delivery, "duplicate") : settle.release(delivery, { delayMs: waitMs });
}

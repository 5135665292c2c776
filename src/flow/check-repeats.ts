import { asapScheduler, asyncScheduler, concatMap, exhaustMap, interval, Subject, takeUntil, timer, type OperatorFunction } from "rxjs";
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

const renewalsPerClaim = 3;

/**
 * Lets a delivery pass when it has claimed its key, and decides about the repeats. One question to Redis is under way at a time:
 * what arrives in one loop, or during a question, goes together in the next.
 * @internal
 */
export function checkRepeats<A>(settings: RepeatSettings<A>): OperatorFunction<Flow<A>, Flow<A>> {
  const { commands, book, wish, claimMs } = settings;
  return operate((subscriber) => {
    let waiting: Waiting<A>[] = [];
    let isBusy = false;
    let ended = false;
    const abandoned = new Subject<void>();
    const origins = new OriginWatch(() => ({ abandoned: () => abandoned.next() }));

    const decide = (items: readonly Waiting<A>[]): void => {
      for (const item of items) subscriber.next(item instanceof HeldClaim ? verdict(settings, item) : item);
      isBusy = false;
      if (waiting.length > 0) start();
      else if (ended) subscriber.complete();
    };
    const start = (): void => {
      isBusy = true;
      let items: Waiting<A>[] = [];
      const asked = timer(0, asapScheduler).pipe(
        concatMap(() => {
          items = waiting; // all that came in one loop
          waiting = [];
          return takeClaims(commands, unknownTo(book, items), claimMs);
        }),
        takeUntil(abandoned),
      );
      subscriber.add(
        asked.subscribe({
          error: (error: unknown) => subscriber.error(error),
          complete: () => decide(items),
        }),
      );
    };
    const renewal = interval(claimMs / renewalsPerClaim).pipe(exhaustMap(() => renewClaims(commands, book.claims, claimMs)));

    subscriber.add(() => origins.stop());
    subscriber.add(renewal.subscribe({ error: (error: unknown) => subscriber.error(error) }));
    return {
      next: (item) => {
        const wanted = item._tag === "Settled" ? item : wish(item);
        if (wanted instanceof HeldClaim) origins.see(wanted.delivery);
        else if (!isBusy) return subscriber.next(wanted);
        waiting.push(wanted);
        if (!isBusy) start();
      },
      complete: () => {
        ended = true;
        if (!isBusy) subscriber.complete();
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

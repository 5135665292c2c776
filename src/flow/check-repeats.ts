import { asapScheduler, asyncScheduler, concatMap, exhaustMap, interval, Subject, takeUntil, timer, type OperatorFunction } from "rxjs";
import type { Delivery } from "../model/delivery.js";
import { settle, type Flow } from "../model/settlement.js";
import type { StreamCommands } from "../redis/port.js";
import { renewClaims, takeClaims, type ClaimAnswers } from "./ask-for-claims.js";
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

/** What waits for its turn: a delivery with the claim it wants, or what passes as it is. */
type Waiting<A> = { readonly delivery: Delivery<A>; readonly wish: HeldClaim } | { readonly passes: Flow<A> };

const renewalsPerClaim = 3;
const none: ClaimAnswers = new Map();

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

    const decide = (items: readonly Waiting<A>[], answers: ClaimAnswers): void => {
      for (const item of items) subscriber.next("passes" in item ? item.passes : verdict(settings, item.delivery, item.wish, answers));
      isBusy = false;
      if (waiting.length > 0) start();
      else if (ended) subscriber.complete();
    };
    const start = (): void => {
      isBusy = true;
      let items: Waiting<A>[] = [];
      let answers = none;
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
          next: (all) => (answers = all),
          error: (error: unknown) => subscriber.error(error),
          complete: () => decide(items, answers),
        }),
      );
    };
    const renewal = interval(claimMs / renewalsPerClaim).pipe(exhaustMap(() => renewClaims(commands, book.claims, claimMs)));

    subscriber.add(() => origins.stop());
    subscriber.add(renewal.subscribe({ error: (error: unknown) => subscriber.error(error) }));
    return {
      next: (item) => {
        const wanted = item._tag === "Settled" ? item : wish(item);
        if (item._tag === "Settled" || !(wanted instanceof HeldClaim)) {
          if (!isBusy) return subscriber.next(wanted as Flow<A>);
          waiting.push({ passes: wanted as Flow<A> });
          return;
        }
        origins.see(item);
        waiting.push({ delivery: item, wish: wanted });
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
function unknownTo<A>(book: ClaimBook, items: readonly Waiting<A>[]): HeldClaim[] {
  const wishes = new Map<string, HeldClaim>();
  for (const item of items) {
    if ("passes" in item || item.wish.held.state !== "open" || wishes.has(item.wish.place)) continue;
    if (!book.isTaken(item.wish) && !book.isDone(item.wish.place)) wishes.set(item.wish.place, item.wish);
  }
  return [...wishes.values()];
}

/** In order: what one item of the loop claims is taken for the next. */
function verdict<A>({ book, waitMs }: RepeatSettings<A>, delivery: Delivery<A>, wish: HeldClaim, answers: ClaimAnswers): Flow<A> {
  if (wish.held.state !== "open") return settle.release(delivery);
  if (book.isDone(wish.place)) return settle.ack(delivery, "duplicate");
  const { claim, answer } = answers.get(wish.place) ?? {};
  if (answer?._tag === "done") {
    book.remember(wish.place, asyncScheduler.now() + answer.forMs);
    return settle.ack(delivery, "duplicate");
  }
  const isOurs = answer?._tag === "taken" && claim === wish && !book.isTaken(wish);
  if (!isOurs) return settle.release(delivery, { delayMs: waitMs });
  book.hold(wish);
  return delivery;
}

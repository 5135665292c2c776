import { asyncScheduler, defer, EMPTY, from, ignoreElements, tap, type Observable } from "rxjs";
import { spareOf } from "../model/read-plan.js";
import type { Chore } from "./chore.js";
import type { FollowedStream } from "./followed-stream.js";
import type { Place } from "./place.js";
import type { Session } from "./session.js";

/**
 * From one look to the next. `rare`: where the server wakes reads for what is due, or the window is so small that a read has to make way
 * for each look.
 */
const everyMs = { rare: 1_000, usual: 500, alert: 80 } as const;
/** So long after it has found a retry that is due within a second, and that nobody had told: more of them may come. */
const alertMs = 10_000;
const soonMs = 1_000;
/** What is known of a due time may be off by so much. */
const slackMs = 20;

/**
 * Looks when the next retries are due that other consumers have scheduled; those scheduled here are known. Looks come often while others
 * schedule retries of less than a second: if such a consumer dies, nobody else knows of them.
 * @internal
 */
export class LookForDue implements Chore {
  readonly #session: Session;
  readonly #place: Place;
  #at = 0;
  #alertUntil = -Infinity;

  constructor(session: Session, place: Place) {
    this.#session = session;
    this.#place = place;
  }

  get at(): number {
    return this.#at;
  }

  /** One command for all streams, however many there are. */
  run(): Observable<never> {
    return defer(() => {
      const { commands, settings } = this.#session;
      const { readable, names } = this.#place;
      this.#at = asyncScheduler.now() + this.#everyMs * (0.9 + Math.random() * 0.2);
      if (names.length === 0) return EMPTY;
      return from(commands.nextDue(names, settings.group)).pipe(
        tap((due) => due.forEach((inMs, index) => inMs !== undefined && this.#note(readable[index]!, inMs))),
        ignoreElements(),
      );
    });
  }

  get #everyMs(): number {
    if (asyncScheduler.now() < this.#alertUntil) return everyMs.alert;
    const isRare = this.#place.mode.isOn || spareOf(this.#session.ledger.window) === 0;
    return isRare ? everyMs.rare : everyMs.usual;
  }

  #note({ due }: FollowedStream, inMs: number): void {
    const now = asyncScheduler.now();
    if (inMs < soonMs && now + inMs < due.at - slackMs) {
      this.#alertUntil = now + alertMs;
      this.#at = Math.min(this.#at, now + everyMs.alert);
    }
    due.plan(inMs);
  }
}

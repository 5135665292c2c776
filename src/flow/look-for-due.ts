import { asyncScheduler, defer, EMPTY, from, ignoreElements, tap, type Observable } from "rxjs";
import type { Chore } from "./chore.js";
import type { Place } from "./place.js";
import type { Session } from "./session.js";

const everyMs = 1_000;

/** Looks when the next retries are due that other consumers have scheduled; those scheduled here are known. @internal */
export class LookForDue implements Chore {
  readonly #session: Session;
  readonly #place: Place;
  #at = 0;

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
      this.#at = asyncScheduler.now() + everyMs * (0.9 + Math.random() * 0.2);
      if (names.length === 0) return EMPTY;
      return from(commands.nextDue(names, settings.group)).pipe(
        tap((due) => due.forEach((inMs, index) => inMs !== undefined && readable[index]!.due.plan(inMs))),
        ignoreElements(),
      );
    });
  }
}

import { asyncScheduler, from, tap, type Observable } from "rxjs";
import type { ConsumerRef } from "../redis/port.js";
import { takeOver, type Chore, type Page } from "./chore.js";
import type { Session } from "./session.js";

/** Hands out the retries of the group that are due, whoever scheduled them. @internal */
export class TakeDue implements Chore {
  readonly #session: Session;
  readonly #ref: ConsumerRef;
  #at = Infinity;

  constructor(session: Session, ref: ConsumerRef) {
    this.#session = session;
    this.#ref = ref;
  }

  get at(): number {
    return this.#at;
  }

  /** A retry will be due in so many ms. */
  plan(inMs: number): void {
    this.#at = Math.min(this.#at, asyncScheduler.now() + inMs);
  }

  /** Without credit it only looks. */
  run(): Observable<Page> {
    return takeOver(this.#session, this.#ref, "retry", (max) =>
      from(this.#session.commands.takeDue(this.#ref, max)).pipe(
        tap(({ nextDueMs = Infinity }) => (this.#at = asyncScheduler.now() + nextDueMs)),
      ),
    );
  }
}

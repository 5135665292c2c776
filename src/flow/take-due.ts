import { asyncScheduler, from, tap, type Observable } from "rxjs";
import type { ConsumerRef } from "../redis/port.js";
import { takeOver, type Chore, type Page } from "./chore.js";
import type { Session } from "./session.js";

/** How often to look when the next retry is due that other consumers have scheduled; those scheduled here are known. */
const lookEveryMs = 1_000;

/** Hands out the retries of the group that are due, whoever scheduled them. @internal */
export class TakeDue implements Chore {
  readonly #session: Session;
  readonly #ref: ConsumerRef;
  #at = 0;

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
        tap(({ nextDueMs = Infinity }) => {
          this.#at = asyncScheduler.now() + Math.min(nextDueMs, lookEveryMs * (0.9 + Math.random() * 0.2));
        }),
      ),
    );
  }
}

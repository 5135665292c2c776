import { asyncScheduler, defer, EMPTY, from, ignoreElements, tap, type Observable } from "rxjs";
import type { Chore } from "./chore.js";
import type { FollowedStream } from "./followed-stream.js";
import type { Session } from "./session.js";

const everyMs = 1_000;

/** Looks when the next retries are due that other consumers have scheduled; those scheduled here are known. @internal */
export class LookForDue implements Chore {
  readonly #session: Session;
  readonly #streams: () => readonly FollowedStream[];
  #at = 0;

  constructor(session: Session, streams: () => readonly FollowedStream[]) {
    this.#session = session;
    this.#streams = streams;
  }

  get at(): number {
    return this.#at;
  }

  /** One command for all streams, however many there are. */
  run(): Observable<never> {
    return defer(() => {
      const { commands, settings } = this.#session;
      const streams = this.#streams();
      this.#at = asyncScheduler.now() + everyMs * (0.9 + Math.random() * 0.2);
      if (streams.length === 0) return EMPTY;
      const names = streams.map(({ ref }) => ref.stream);
      return from(commands.nextDue(names, settings.group)).pipe(
        tap((due) => due.forEach((inMs, index) => inMs !== undefined && streams[index]!.due.plan(inMs))),
        ignoreElements(),
      );
    });
  }
}

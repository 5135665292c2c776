import { asyncScheduler, from, tap, type Observable } from "rxjs";
import type { ConsumerRef } from "../redis/port.js";
import { takeOver, type Chore, type Page } from "./chore.js";
import type { Session } from "./session.js";

/**
 * Hands out this consumer's pending entries that are not in flight here: those of a read whose reply never came, and those of
 * a former process of the same name. Redis gives them to nobody else before the lease runs out.
 * @internal
 */
export class RecoverOwn implements Chore {
  readonly #session: Session;
  readonly #ref: ConsumerRef;
  #cursor = "-";
  #at: number;
  #againAt = Infinity;
  /** Until the first look is through, what is found is a former life's, and was delivered to it. */
  #isFirst: boolean;

  constructor(session: Session, ref: ConsumerRef) {
    this.#session = session;
    this.#ref = ref;
    const hadFormerLife = session.settings.consumer !== undefined; // a made-up name is new
    this.#isFirst = hadFormerLife;
    this.#at = hadFormerLife ? 0 : Infinity;
  }

  get at(): number {
    return this.#at;
  }

  /** Looks now; and once more in `againInMs`, because a server may go on feeding a connection that was given up here. */
  plan(againInMs: number = Infinity): void {
    this.#at = asyncScheduler.now();
    this.#cursor = "-";
    this.#againAt = this.#at + againInMs;
  }

  /** Not while a read is under way: what that read delivers would look abandoned. */
  run(): Observable<Page> {
    const { commands, ledger } = this.#session;
    const { stream, consumer } = this.#ref;
    return takeOver(this.#session, this.#ref, "self", (max) =>
      from(
        commands.takeIdle(this.#ref, {
          max,
          minIdleMs: 0,
          owner: consumer,
          cursor: this.#cursor,
          leaveAlone: ledger.inFlight(stream),
          counts: this.#isFirst,
        }),
      ).pipe(tap(({ cursor }) => (cursor === undefined ? this.#end() : (this.#cursor = cursor)))),
    );
  }

  #end(): void {
    this.#isFirst = false; // from here on it is what was sent to this process and never arrived: no delivery that a handler saw
    this.#cursor = "-";
    this.#at = this.#againAt;
    this.#againAt = Infinity;
  }
}

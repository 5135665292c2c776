import { asyncScheduler, from, tap, type Observable } from "rxjs";
import type { ConsumerRef, IdlePage } from "../redis/port.js";
import { takeOver, type Chore, type Page } from "./chore.js";
import type { RecoverOwn } from "./recover-own.js";
import type { Session } from "./session.js";

/** @internal */
export interface SweepPace {
  /** How long an entry must be idle to be taken over, ms. */
  readonly minIdleMs: number;
  /** From the end of a walk to the next one, ms; jittered, so that consumers do not walk in step. Infinity: never. It may change. */
  readonly everyMs: number;
}

/** Rest after a page with nothing in it: walking a PEL of a million entries costs the server a few percent, not a core. */
const restMs = 25;

/**
 * Takes over what other consumers left unsettled and unrenewed for a lease's time. It walks the PEL in pages and remembers
 * where it is, because a walk that begins anew each time never reaches the end of a long one.
 * @internal
 */
export class SweepStale implements Chore {
  readonly #session: Session;
  readonly #ref: ConsumerRef;
  readonly #own: RecoverOwn;
  readonly #pace: SweepPace;
  #cursor = "-";
  /** When the walk under way goes on; undefined: it is over, or none has begun. */
  #goesOnAt: number | undefined;
  #endedAt = -Infinity;
  #jitter = 1;
  #walk = { since: 0, steps: 0, taken: 0 };

  constructor(session: Session, ref: ConsumerRef, own: RecoverOwn, pace: SweepPace) {
    this.#session = session;
    this.#ref = ref;
    this.#own = own;
    this.#pace = pace;
  }

  get at(): number {
    if (this.#goesOnAt !== undefined) return this.#goesOnAt;
    const { everyMs } = this.#pace;
    return everyMs === Infinity ? Infinity : this.#endedAt + everyMs * this.#jitter;
  }

  run(): Observable<Page> {
    if (this.#walk.steps === 0) this.#walk.since = asyncScheduler.now();
    const { commands } = this.#session;
    const { minIdleMs } = this.#pace;
    return takeOver(this.#session, this.#ref, "stale", (max) =>
      from(commands.takeIdle(this.#ref, { max, minIdleMs, cursor: this.#cursor })).pipe(tap((page) => this.#goOn(page))),
    );
  }

  #goOn({ cursor, entries, mine }: IdlePage): void {
    const now = asyncScheduler.now();
    this.#walk.steps += 1;
    this.#walk.taken += entries.length;
    if (cursor === undefined) this.#end();
    this.#cursor = cursor ?? "-";
    this.#goesOnAt = cursor === undefined ? undefined : now + (entries.length > 0 ? 0 : restMs);
    if (cursor === undefined) {
      this.#endedAt = now;
      this.#jitter = 0.8 + Math.random() * 0.4;
    }
    const open = this.#session.ledger.open(this.#ref.stream);
    if (mine.some((id) => !open.has(id))) this.#own.plan(); // stale and not in flight: a reply that got lost unnoticed
  }
  #end(): void {
    const { since, ...walk } = this.#walk;
    this.#walk = { since: 0, steps: 0, taken: 0 };
    if (walk.taken === 0 && walk.steps === 1) return; // several times a lease, and nothing to tell
    this.#session.report({ _tag: "swept", stream: this.#ref.stream, ...walk, tookMs: asyncScheduler.now() - since });
  }
}

import { reconnectDelayMs } from "./backoff.js";
import type { ReaderState } from "./reader-state.js";
import type { GrouplessSession } from "./session.js";

/** Tells the status how a loop of reads does, and counts the failures in a row. @internal */
export class ReadProgress {
  readonly close: () => void;
  readonly #session: Pick<GrouplessSession, "ledger" | "report" | "settings">;
  readonly #reader: ReaderState;
  #failures = 0;

  /** @param blockMs - how long a read may block */
  constructor(session: Pick<GrouplessSession, "ledger" | "report" | "settings" | "signs">, blockMs: number) {
    const { reader, close } = session.signs.openReader(blockMs);
    this.close = close;
    this.#session = session;
    this.#reader = reader;
  }

  readonly starved = (): void => this.#reader.starves(this.#session.ledger);

  reading(): void {
    this.#reader.begins();
    this.#reader.reads([this.#session.settings.stream]);
  }

  answered(): void {
    this.#failures = 0;
    this.#reader.answered();
  }

  /** Somebody else has reported it; the next read says that it is over. */
  interrupted(cause: unknown): void {
    this.#reader.breaks(cause);
  }

  /** How long to wait before the next attempt, ms. */
  failed(cause: unknown): number {
    this.interrupted(cause);
    this.#failures += 1;
    const delayMs = reconnectDelayMs(this.#failures);
    this.#session.report({ _tag: "reconnecting", attempt: this.#failures, delayMs, cause });
    return delayMs;
  }
}

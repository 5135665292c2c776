import { Failures } from "./failures.js";
import type { ReaderState } from "./reader-state.js";
import type { GrouplessSession } from "./session.js";

/** Tells the status how a loop of reads does. @internal */
export class ReadProgress {
  readonly close: () => void;
  readonly #session: Pick<GrouplessSession, "ledger" | "settings">;
  readonly #reader: ReaderState;
  readonly #failures: Failures;

  /** @param blockMs - how long a read may block */
  constructor(session: Pick<GrouplessSession, "ledger" | "report" | "settings" | "signs">, blockMs: number) {
    const { reader, close } = session.signs.openReader(blockMs);
    this.close = close;
    this.#session = session;
    this.#reader = reader;
    this.#failures = new Failures(session.report);
  }

  readonly starved = (): void => this.#reader.starves(this.#session.ledger);

  reading(): void {
    this.#reader.begins();
    this.#reader.reads([this.#session.settings.stream]);
  }

  answered(): void {
    this.#failures.forget();
    this.#reader.answered();
  }

  /** Somebody else has reported it; the next read says that it is over. */
  interrupted(cause: unknown): void {
    this.#reader.breaks(cause);
  }

  /** How long to wait before the next attempt, ms. */
  failed(cause: unknown): number {
    this.interrupted(cause);
    return this.#failures.add(cause);
  }
}

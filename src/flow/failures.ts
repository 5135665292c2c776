import type { SourceStatus } from "../model/status.js";
import { reconnectDelayMs } from "./backoff.js";

/** The failures in a row of something that is tried for ever: each is reported, and followed by a longer wait. @internal */
export class Failures {
  readonly #report: (status: SourceStatus) => void;
  #inARow = 0;

  constructor(report: (status: SourceStatus) => void) {
    this.#report = report;
  }

  get inARow(): number {
    return this.#inARow;
  }

  /** One more; how long to wait before the next attempt, ms. */
  add(cause: unknown): number {
    this.addSilently();
    const delayMs = reconnectDelayMs(this.#inARow);
    this.#report({ _tag: "reconnecting", attempt: this.#inARow, delayMs, cause });
    return delayMs;
  }

  /** One more that is not worth a word, because it is healed at once. */
  addSilently(): void {
    this.#inARow += 1;
  }

  /** It worked. */
  forget(): void {
    this.#inARow = 0;
  }
}

import type { SourceStatus } from "../model/status.js";
import { reconnectDelayMs } from "./backoff.js";
import type { GrouplessSession } from "./session.js";

/** Tells the status what a loop of reads does, each change once, and counts the failures in a row. @internal */
export class ReadProgress {
  readonly #session: Pick<GrouplessSession, "ledger" | "report" | "settings">;
  #state: SourceStatus["_tag"] = "starting";
  #failures = 0;

  constructor(session: Pick<GrouplessSession, "ledger" | "report" | "settings">) {
    this.#session = session;
  }

  readonly starved = (): void => {
    this.#state = "starved";
    this.#session.report({ _tag: "starved", unsettled: this.#session.ledger.unsettled });
  };

  reading(): void {
    if (this.#state !== "reading") this.#session.report({ _tag: "reading", streams: [this.#session.settings.stream] });
    this.#state = "reading";
  }

  answered(): void {
    this.#failures = 0;
  }

  /** Somebody else has reported it; the next read says that it is over. */
  interrupted(): void {
    this.#state = "reconnecting";
  }

  /** How long to wait before the next attempt, ms. */
  failed(cause: unknown): number {
    this.interrupted();
    this.#failures += 1;
    const delayMs = reconnectDelayMs(this.#failures);
    this.#session.report({ _tag: "reconnecting", attempt: this.#failures, delayMs, cause });
    return delayMs;
  }
}

import { asyncScheduler, Subscription } from "rxjs";
import { silence, silenceMs } from "./give-up-silent.js";

/** Gives up when a read does not answer. One timer sees many reads through: it is set again when it is over and none was silent for so long. @internal */
export class Patience {
  readonly #giveUp: (error: Error) => void;
  #timer: Subscription | undefined;
  /** When the timer is over. */
  #endsAt = 0;
  #ms = 0;
  /** Infinity: no answer is waited for. */
  #until = Infinity;

  constructor(giveUp: (error: Error) => void) {
    this.#giveUp = giveUp;
  }

  /** An answer is waited for from now on. */
  begin(blockMs: number): void {
    this.#ms = blockMs + silenceMs;
    this.#until = asyncScheduler.now() + this.#ms;
    if (this.#timer !== undefined && this.#endsAt <= this.#until) return;
    this.#timer?.unsubscribe(); // set for a read that was allowed to block for longer
    this.#timer = this.#set(this.#ms);
  }

  /** It has come. */
  end(): void {
    this.#until = Infinity;
  }

  stop(): void {
    this.#timer?.unsubscribe();
  }

  #set(ms: number): Subscription {
    this.#endsAt = asyncScheduler.now() + ms;
    return asyncScheduler.schedule(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#until === Infinity) return;
    const leftMs = this.#until - asyncScheduler.now();
    if (leftMs > 0) this.#timer = this.#set(leftMs);
    else this.#giveUp(silence(this.#ms));
  }
}

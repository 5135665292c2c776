/** How many may pass in any window of `perMs`, and how exactly that is remembered. @internal */
export interface WindowLimit {
  readonly limit: number;
  readonly perMs: number;
  /** Passes of one step of time are remembered as one number; ms. */
  readonly stepMs: number;
}

/** An answer to so many that want to pass. @internal */
export interface Grant {
  /** So many may pass now. */
  readonly granted: number;
  /** Ms until the next one may be granted; 0 when all were. */
  readonly waitMs: number;
}

/** Steps per window: a hundredth of it is the most that passes later than it could. */
const stepsPerWindow = 100;

/** @internal */
export const windowLimit = (limit: number, perMs: number): WindowLimit => ({ limit, perMs, stepMs: Math.ceil(perMs / stepsPerWindow) });

/**
 * Lets through `limit` at most in any window of `perMs`, wherever the window begins, as soon as it can: the first `limit` at once.
 * It remembers how many passed in each step of time, 101 numbers at most, and counts them until the step's last instant is out
 * of the window. `take-permits.lua` is the same on a server's clock.
 * @internal
 */
export class SlidingWindow {
  readonly #limit: WindowLimit;
  /** Steps in which some passed, oldest first: when each began, and how many. */
  #steps: { readonly at: number; count: number }[] = [];
  #taken = 0;

  constructor(limit: WindowLimit) {
    this.#limit = limit;
  }

  take(nowMs: number, wanted: number): Grant {
    const { limit, stepMs } = this.#limit;
    const now = Math.floor(nowMs);
    const step = now - (now % stepMs);
    this.#forget(now, step);
    const granted = Math.min(wanted, limit - this.#taken);
    if (granted > 0) this.#note(step, granted);
    return { granted, waitMs: granted === wanted ? 0 : this.#overAt(this.#steps[0]!.at) - now };
  }

  #note(at: number, count: number): void {
    const latest = this.#steps.at(-1);
    if (latest?.at === at) latest.count += count;
    else this.#steps.push({ at, count });
    this.#taken += count;
  }

  #forget(now: number, step: number): void {
    if ((this.#steps.at(-1)?.at ?? step) > step) this.#steps = [{ at: step, count: this.#taken }]; // the clock was put back
    while (this.#steps.length > 0 && this.#overAt(this.#steps[0]!.at) <= now) this.#taken -= this.#steps.shift()!.count;
  }

  /** When those of a step count no longer. */
  #overAt(at: number): number {
    return at + this.#limit.stepMs - 1 + this.#limit.perMs;
  }
}

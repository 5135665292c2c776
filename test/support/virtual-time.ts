import { asyncScheduler, timer, type Observable, type Subscription } from "rxjs";
import { TestScheduler, type RunHelpers } from "rxjs/testing";
import { expect } from "vitest";

/** Runs a marble test: all timers are virtual, and `expectObservable` compares with vitest's `toEqual`. */
export function marbles(test: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(test);
}

/**
 * Runs steps at given times, in ms, on a virtual clock, and returns when nothing is left to happen. A step sees what has become
 * of the ones before. What a test starts it has to end: a timer that goes on for ever keeps the run going for ever.
 */
export function timeline(steps: Readonly<Record<number, () => void>>): void {
  marbles(({ flush }) => {
    for (const [at, step] of Object.entries(steps)) record(timer(Number(at)), step);
    flush();
  });
}

/** RxJS' virtual time loses count when, of two timers due in one ms, one stops the other. A run it spoils (1 in 1 000) is passed over. */
export function unlessMiscounted<A>(run: () => A): A | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && error.message === "Expected a due immediate or interval") return undefined;
    throw error;
  }
}

/** Subscribes at 0 to what is made then, does the steps, and unsubscribes at `untilMs`. */
export function play<A>(source: () => Observable<A>, untilMs: number, steps: Readonly<Record<number, () => void>> = {}): Recording<A> {
  let recording: Recording<A> | undefined;
  timeline({ 0: () => (recording = record(source())), ...steps, [untilMs]: () => recording!.stop() });
  return recording!;
}

/** The virtual clock inside `marbles` and `timeline`. */
export const nowMs = (): number => asyncScheduler.now();

/** What a subscription has brought so far. */
export interface Recording<A> {
  readonly values: A[];
  /** When each value came. */
  readonly times: number[];
  /** `"complete"` or `"error"` when it has ended by itself. */
  ended: "complete" | "error" | undefined;
  endedAt: number | undefined;
  error: unknown;
  stop: () => void;
}

/** Subscribes and writes down what comes. */
export function record<A>(source: Observable<A>, next?: (value: A) => void): Recording<A> {
  const recording: Recording<A> = { values: [], times: [], ended: undefined, endedAt: undefined, error: undefined, stop: () => stop() };
  let subscription: Subscription | undefined = undefined;
  const stop = (): void => subscription?.unsubscribe();
  const end = (how: "complete" | "error"): void => {
    recording.ended = how;
    recording.endedAt = nowMs();
  };
  subscription = source.subscribe({
    next: (value) => {
      recording.values.push(value);
      recording.times.push(nowMs());
      next?.(value);
    },
    error: (error: unknown) => {
      recording.error = error;
      end("error");
    },
    complete: () => end("complete"),
  });
  return recording;
}

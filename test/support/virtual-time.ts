import { asyncScheduler, timer } from "rxjs";
import { TestScheduler, type RunHelpers } from "rxjs/testing";
import { expect } from "vitest";

/** Runs a marble test: all timers are virtual, and `expectObservable` compares with vitest's `toEqual`. */
export function marbles(test: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(test);
}

/**
 * Runs steps at given times, in ms, on a virtual clock, and returns when nothing is left to happen. A step may look at what
 * has become of the ones before; a run that never gets quiet fails.
 */
export function timeline(steps: Readonly<Record<number, () => void>>): void {
  marbles(({ flush }) => {
    for (const [at, step] of Object.entries(steps)) timer(Number(at)).subscribe(step);
    flush();
  });
}

/** The virtual clock inside `marbles` and `timeline`. */
export const nowMs = (): number => asyncScheduler.now();

/* eslint-disable @typescript-eslint/no-unsafe-assignment -- matchers of vitest are any */
import { NEVER, of, Subject, throwError } from "rxjs";
import { health, type HealthOptions, type SourceStatus } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { marbles, record, timeline, type Recording } from "../support/virtual-time.js";
import type { Health } from "../../src/model/health.js";

const alive: SourceStatus = {
  _tag: "progress", source: "orders/shipping/me", streams: ["orders"], group: "shipping", consumer: "me", state: "reading", readAgeMs: 0,
  waitingMs: undefined, blockMs: 2_000, settlementAgeMs: undefined, unsettled: 0, oldestMs: undefined, overtakenMs: 0, stalledAfterMs: 60_000,
}; // prettier-ignore

const letters = ({ values }: Recording<Health>): string => values.map(({ live, ready }) => (ready ? "R" : live ? "L" : "-")).join("");

describe("health", () => {
  it("says at once that it knows nothing, and every second what it knows", () => {
    let recording!: Recording<Health>;
    timeline({ 0: () => (recording = record(health(NEVER))), 3_500: () => recording.stop() });
    expect(recording.times).toEqual([0, 1_000, 2_000, 3_000]);
    expect(letters(recording)).toBe("LLLL");
    expect(recording.values[0]!.reasons).toEqual([{ _tag: "noSource" }]);
  });

  it("says at once what changes, and hears nothing but signs of life", () => {
    const status$ = new Subject<SourceStatus>();
    let recording!: Recording<Health>;
    timeline({
      0: () => (recording = record(health(status$, { everyMs: 10_000 }))),
      100: () => status$.next(alive),
      200: () => status$.next(alive),
      300: () => status$.next({ _tag: "reconnecting", attempt: 1, delayMs: 5, cause: "a watcher's" }),
      400: () => status$.next({ ...alive, state: "reconnecting", cause: "gone" }),
      500: () => status$.next(alive),
      600: () => recording.stop(),
    });
    expect(recording.times).toEqual([0, 100, 400, 500]);
    expect(letters(recording)).toBe("LRLR");
  });

  it("notices silence although nobody says so, and its end", () => {
    const status$ = new Subject<SourceStatus>();
    let recording!: Recording<Health>;
    timeline({
      0: () => (recording = record(health(status$, { silentAfterMs: 2_500 }))),
      100: () => status$.next(alive),
      5_100: () => status$.next(alive),
      5_500: () => recording.stop(),
    });
    expect(recording.times).toEqual([0, 100, 1_000, 2_000, 3_000, 4_000, 5_000, 5_100]);
    expect(letters(recording)).toBe("LRRR---R");
  });

  it("has a bound of its own for what is late, and one for what is stalled", () => {
    const at = (status: SourceStatus, options: HealthOptions): string => {
      const status$ = new Subject<SourceStatus>();
      let recording!: Recording<Health>;
      timeline({
        0: () => {
          recording = record(health(status$, options));
          status$.next(status);
        },
        50: () => recording.stop(),
      });
      return recording.values.at(-1)!.reasons.map(({ _tag }) => _tag).join(); // prettier-ignore
    };
    const waiting: SourceStatus = { ...alive, waitingMs: 2_600 };
    expect([at(waiting, {}), at(waiting, { lateAfterMs: 500 })]).toEqual(["", "late"]);
    const old: SourceStatus = { ...alive, unsettled: 1, oldestMs: 2_000 };
    expect([at(old, {}), at(old, { stalledAfterMs: 1_000 })]).toEqual(["", "stalled"]);
  });

  it("completes and errors as its source does, and leaves no timer behind", () => {
    marbles(({ expectObservable }) => {
      expectObservable(health(of(alive).pipe())).toBe("(ab|)", {
        a: expect.objectContaining({ ready: false }),
        b: expect.objectContaining({ ready: true }),
      });
      expectObservable(health(throwError(() => "bad"))).toBe("(a#)", { a: expect.anything() }, "bad");
    });
  });

  it("keeps the state of each subscription apart", () => {
    const status$ = new Subject<SourceStatus>();
    const both = health(status$);
    let [one, two]: Recording<Health>[] = [];
    timeline({
      0: () => (one = record(both)),
      10: () => status$.next(alive),
      20: () => (two = record(both)),
      30: () => {
        one!.stop();
        two!.stop();
      },
    });
    expect([letters(one!), letters(two!)]).toEqual(["LR", "L"]);
    expect(status$.observed).toBe(false);
  });

  it.each<readonly [HealthOptions, RegExp]>([
    [{ lateAfterMs: 99 }, /`lateAfterMs`.*100 to/],
    [{ stalledAfterMs: 0 }, /`stalledAfterMs`.*100 to/],
    [{ silentAfterMs: 1_000 }, /`silentAfterMs`.*2000 to/],
    [{ everyMs: 1 }, /`everyMs`.*10 to/],
  ])("refuses %o", (options, message) => expect(() => health(NEVER, options)).toThrow(message));
});

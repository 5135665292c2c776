import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingWindow, windowLimit } from "../../src/model/sliding-window.js";

/** The most that passed in any window of `perMs`, windows that begin with a pass being the fullest. */
const fullest = (passes: readonly { at: number; count: number }[], perMs: number): number =>
  Math.max(
    0,
    ...passes.map(({ at: from }) => passes.filter(({ at }) => at >= from && at < from + perMs).reduce((sum, { count }) => sum + count, 0)),
  );

describe("SlidingWindow", () => {
  it("lets the first `limit` pass at once and says when the next one may", () => {
    const window = new SlidingWindow(windowLimit(3, 1_000));
    expect(window.take(5_000, 2)).toEqual({ granted: 2, waitMs: 0 });
    expect(window.take(5_005, 2)).toEqual({ granted: 1, waitMs: 1_004 });
    expect(window.take(6_008, 1)).toEqual({ granted: 0, waitMs: 1 });
    expect(window.take(6_009, 9)).toMatchObject({ granted: 3 });
  });

  it("is exact to the ms for windows of up to 100 ms", () => {
    const window = new SlidingWindow(windowLimit(1, 100));
    expect(window.take(7, 1)).toEqual({ granted: 1, waitMs: 0 });
    expect(window.take(106, 1)).toEqual({ granted: 0, waitMs: 1 });
    expect(window.take(107, 1)).toEqual({ granted: 1, waitMs: 0 });
  });

  it("never lets more than `limit` pass in any window, and never waits in vain", () => {
    const asks = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 700 }), wanted: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2_000 }), asks, (limit, perMs, all) => {
        const window = new SlidingWindow(windowLimit(limit, perMs));
        const passes: { at: number; count: number }[] = [];
        let now = 1_000_000;
        for (const { afterMs, wanted } of all) {
          now += afterMs;
          const { granted, waitMs } = window.take(now, wanted);
          passes.push({ at: now, count: granted });
          expect(granted === wanted).toBe(waitMs === 0);
          expect(waitMs).toBeLessThanOrEqual(perMs + Math.ceil(perMs / 100));
          if (waitMs === 0) continue;
          now += waitMs;
          const next = window.take(now, 1);
          passes.push({ at: now, count: next.granted });
          expect(next).toEqual({ granted: 1, waitMs: 0 });
        }
        expect(fullest(passes, perMs)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it("lets at least 99 in 100 pass of what would be ideal", () => {
    const window = new SlidingWindow(windowLimit(50, 1_000));
    let passed = 0;
    for (let now = 0; now < 60_000; now += 1) passed += window.take(now, 1_000).granted;
    expect(passed).toBeGreaterThanOrEqual(0.98 * 60 * 50);
  });

  it("counts from now on what passed when a clock is put back, and does not stand still", () => {
    const window = new SlidingWindow(windowLimit(2, 1_000));
    window.take(3_600_000, 2);
    expect(window.take(1_000, 1)).toEqual({ granted: 0, waitMs: 1_009 });
    expect(window.take(2_009, 1)).toEqual({ granted: 1, waitMs: 0 });
  });
});

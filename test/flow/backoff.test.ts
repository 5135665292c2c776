import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { reconnectDelayMs } from "../../src/flow/backoff.js";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("reconnectDelayMs", () => {
  it("doubles up to 5 s; half of it is jitter", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    expect([1, 2, 3, 7, 8, 9, 1_000].map(reconnectDelayMs)).toEqual([25, 50, 100, 1_600, 2_500, 2_500, 2_500]);
    random.mockReturnValue(0.9999999);
    expect([1, 2, 3, 7, 8, 9, 1_000].map(reconnectDelayMs)).toEqual([50, 100, 200, 3_200, 5_000, 5_000, 5_000]);
  });

  it("is between half of the delay and all of it, for any attempt", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (attempt) => {
        const full = Math.min(5_000, 50 * 2 ** (attempt - 1));
        expect(reconnectDelayMs(attempt)).toBeGreaterThanOrEqual(full / 2);
        expect(reconnectDelayMs(attempt)).toBeLessThanOrEqual(full);
      }),
    );
  });
});

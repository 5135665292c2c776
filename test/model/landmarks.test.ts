import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Landmarks } from "../../src/model/landmarks.js";
import { idOf } from "../support/deliveries.js";

const number = (id: string): number => Number(id.split("-")[0]);

describe("Landmarks", () => {
  it("finds the id before, the nearer the newer it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }), (count, back) => {
        const landmarks = new Landmarks();
        for (let n = 1; n <= count; n += 1) landmarks.add(idOf(n));
        const wanted = Math.max(1, count - back);
        const found = number(landmarks.goBackTo(idOf(wanted))!);
        expect(found).toBeLessThanOrEqual(wanted);
        if (back < 32) expect(found).toBe(wanted);
      }),
      { numRuns: 20 },
    );
  });

  it("forgets what it has gone back over", () => {
    const landmarks = new Landmarks();
    for (const n of [1, 5, 9]) landmarks.add(idOf(n));
    expect(landmarks.goBackTo(idOf(6))).toBe("5-0");
    expect(landmarks.goBackTo(idOf(20))).toBe("5-0");
    expect(landmarks.goBackTo(idOf(0))).toBeUndefined();
  });
});

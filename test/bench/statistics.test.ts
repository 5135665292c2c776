import { describe, expect, it } from "vitest";
import { ratios, rotated, spread } from "../../bench/harness/statistics.js";

describe("spread", () => {
  it("takes the middle of an odd number of rounds, and the mean of the two in the middle of an even one", () => {
    expect(spread([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(spread([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 });
    expect(spread([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it("knows nothing of no rounds", () => {
    expect(spread([])).toBeUndefined();
  });
});

describe("ratios", () => {
  it("are taken within each round that both have", () => {
    const values = new Map([
      [1, 200],
      [2, 100],
      [3, 50],
    ]);
    const base = new Map([
      [1, 100],
      [2, 25],
      [4, 1],
    ]);
    expect(ratios(values, base)).toEqual([2, 4]);
  });

  it("leave out a base of nothing", () => {
    expect(ratios(new Map([[1, 3]]), new Map([[1, 0]]))).toEqual([]);
  });
});

describe("rotated", () => {
  it("begins each round with another variant and leaves none out", () => {
    expect([0, 1, 2, 3].map((by) => rotated(["a", "b", "c"], by).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
    expect(rotated([], 4)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { toRange, type RangeBound } from "../../src/model/range-bound.js";

const most = "18446744073709551615";

describe("toRange", () => {
  it.each<[RangeBound, RangeBound, string, string]>([
    ["-", "+", "-", "+"],
    ["5-1", "5-1", "5-1", "5-1"],
    ["(5-1", "(5-2", "(5-1", "(5-2"],
    [0, 1_526_919_030_474, "0", "1526919030474"],
    [5, 5, "5", "5"],
    ["5-9", 5, "5-9", "5"],
    [new Date(7), new Date("2026-01-01T00:00:00.000Z"), "7", "1767225600000"],
    ["12", "13", "12", "13"],
    [9, 10, "9", "10"],
    [most, "+", most, "+"],
  ])("takes %s to %s", (start, end, from, to) => expect(toRange(start, end)).toEqual({ start: from, end: to }));

  it.each<[unknown, unknown, string]>([
    ["", "+", "`start` to be"],
    ["yesterday", "+", "`start` to be"],
    ["(5", "+", "`start` to be"],
    ["(-", "+", "`start` to be"],
    ["+", "+", "`start` to be a bound that an entry can come after"],
    [`(${most}-${most}`, "+", "`start` to be a bound that an entry can come after"],
    ["-", "-", "`end` to be a bound that an entry can come before"],
    ["-", "(0-0", "`end` to be a bound that an entry can come before"],
    [-1, "+", "`start` to be"],
    [1.5, "+", "`start` to be"],
    [Number.NaN, "+", "`start` to be"],
    ["-", new Date(Number.NaN), "`end` to be"],
    [undefined, "+", "`start` to be"],
    [{}, "+", "`start` to be"],
    ["05-1", "+", "`start` to be"],
    ["10-0", "9-0", "`start` to be no later than `end`, got `10-0` and `9-0`"],
    [10, 9, "`start` to be no later than `end`"],
    ["5-1", "5-0", "`start` to be no later than `end`"],
  ])("refuses %s to %s", (start, end, message) => {
    expect(() => toRange(start as RangeBound, end as RangeBound)).toThrow(RangeError);
    expect(() => toRange(start as RangeBound, end as RangeBound)).toThrow(message);
  });
});

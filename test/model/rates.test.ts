import fc from "fast-check";
import * as O from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import { ratesBetween, type Counters, type GroupRates } from "../../src/model/rates.js";

const counters = (at: number, added?: number, read?: number, pending = 0): Counters => ({
  at,
  entriesAdded: O.fromNullable(added),
  entriesRead: O.fromNullable(read),
  pending,
});
const numbers = ({ addedPerSecond, deliveredPerSecond, settledPerSecond }: GroupRates): (number | undefined)[] =>
  [addedPerSecond, deliveredPerSecond, settledPerSecond].map((rate) => O.toUndefined(rate));

describe("ratesBetween", () => {
  it.each<readonly [string, Counters | undefined, Counters, readonly (number | undefined)[]]>([
    ["is none for the first snapshot", undefined, counters(1_000, 5, 5), [undefined, undefined, undefined]],
    ["is per second", counters(0, 100, 50, 10), counters(2_000, 300, 150, 30), [100, 50, 40]],
    ["is 0 where nothing happens", counters(0, 5, 5, 2), counters(500, 5, 5, 2), [0, 0, 0]],
    ["counts what is acknowledged without being read", counters(0, 5, 5, 4), counters(1_000, 5, 5, 1), [0, 0, 3]],
    ["does not know what Redis does not know", counters(0, 5, undefined), counters(1_000, 9, 7), [4, undefined, undefined]],
    ["does not know what was added without a stream", counters(0), counters(1_000, 9, 7), [undefined, undefined, undefined]],
    ["is none where counters went back", counters(0, 9, 9), counters(1_000, 3, 3), [undefined, undefined, undefined]],
    ["is none where more became pending than was delivered", counters(0, 9, 9), counters(1_000, 9, 9, 3), [0, 0, undefined]],
    ["is none where the clock stood or went back", counters(1_000, 5, 5), counters(1_000, 9, 9), [undefined, undefined, undefined]],
  ])("%s", (_, before, after, expected) => expect(numbers(ratesBetween(before, after))).toEqual(expected));

  it("is finite and never negative", () => {
    const any = fc.record({
      at: fc.nat(10_000),
      entriesAdded: fc.nat(100).map(O.some),
      entriesRead: fc.nat(100).map(O.some),
      pending: fc.nat(100),
    });
    fc.assert(
      fc.property(any, any, (before, after) => {
        for (const rate of numbers(ratesBetween(before, after)))
          expect(rate === undefined || (Number.isFinite(rate) && rate >= 0)).toBe(true);
      }),
    );
  });
});

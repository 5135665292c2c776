import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedSize, largestOfLate, partOf, roomFor, type ByteSituation } from "../../src/model/entry-size.js";

const mb = 1_000_000;
const fresh: ByteSituation = { limit: 8 * mb, taken: 0, largest: undefined, readers: 1, streams: 1 };

const situations = fc.record({
  limit: fc.integer({ min: 1, max: 2 ** 40 }),
  largest: fc.option(fc.integer({ min: 0, max: 2 ** 41 }), { nil: undefined }),
  readers: fc.integer({ min: 1, max: 20 }),
  streams: fc.integer({ min: 1, max: 200 }),
});

describe("the room for entries", () => {
  it("is 16 of unknown size", () => expect([roomFor(fresh), partOf(fresh)]).toEqual([16, 16]));

  it("is 128 of small ones, and for larger ones as many as fit", () => {
    expect(roomFor({ ...fresh, largest: 100 })).toBe(128);
    expect(roomFor({ ...fresh, largest: mb })).toBe(8);
    expect(roomFor({ ...fresh, largest: mb, taken: 6.5 * mb })).toBe(1);
    expect(roomFor({ ...fresh, largest: mb, taken: 7.5 * mb })).toBe(0);
    expect(roomFor({ ...fresh, largest: mb, taken: 20 * mb })).toBe(0);
  });

  it("is one when nothing else is there, however large it may be", () => {
    expect(roomFor({ ...fresh, largest: 100 * mb })).toBe(1);
    expect(roomFor({ ...fresh, largest: 100 * mb, taken: 1 })).toBe(0);
    fc.assert(
      fc.property(situations, (each) => {
        expect(roomFor({ ...each, taken: 0 })).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it("is never more than fits by what is expected", () => {
    fc.assert(
      fc.property(situations, fc.double({ min: 0, max: 2, noNaN: true }), (each, part) => {
        const situation = { ...each, taken: Math.floor(each.limit * part) };
        const room = roomFor(situation);
        expect(room * expectedSize(situation)).toBeLessThanOrEqual(Math.max(0, situation.limit - situation.taken));
        expect(Number.isInteger(room)).toBe(true);
      }),
    );
  });

  it("is bounded per read, whatever was small before", () => {
    fc.assert(
      fc.property(situations, (each) => {
        expect(partOf({ ...each, taken: 0 })).toBeLessThanOrEqual(Math.max(128, 2 * each.readers * each.streams));
      }),
    );
  });

  it("is enough for all streams of a reader when nothing is in flight and entries are small: it need not take turns", () => {
    fc.assert(
      fc.property(situations, (each) => {
        fc.pre(each.limit >= 2 * each.readers * each.streams);
        for (const largest of [undefined, 0]) expect(partOf({ ...each, taken: 0, largest })).toBeGreaterThanOrEqual(each.streams);
      }),
    );
  });

  it("is left for every reader, when the others have taken their parts", () => {
    fc.assert(
      fc.property(situations, (each) => {
        fc.pre(each.limit >= each.readers);
        const size = expectedSize({ ...each, taken: 0 });
        const part = partOf({ ...each, taken: 0 });
        const taken = (each.readers - 1) * part * size;
        expect(roomFor({ ...each, taken })).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe("the largest of late", () => {
  it("rises at once", () => expect(largestOfLate({ ...fresh, largest: 100 }, { count: 50, largest: mb })).toBe(mb));

  it("is no larger than the limit: one that is would keep small ones alone for long", () => {
    expect(largestOfLate(fresh, { count: 1, largest: 100 * mb })).toBe(8 * mb);
  });

  it("sinks slowly, by entries and not by pages", () => {
    const after = (pages: number, count: number): number =>
      Array.from({ length: pages }).reduce<number>((largest) => largestOfLate({ ...fresh, largest }, { count, largest: 100 }), mb);
    expect(after(1_000, 1)).toBeCloseTo(after(1, 1_000));
    expect(after(1, 1_000) / mb).toBeCloseTo(0.368, 2);
    expect(after(10, 1_000)).toBe(100);
  });

  it("begins with what was expected of the unknown", () => {
    expect(largestOfLate(fresh, { count: 1, largest: 100 })).toBe(0.4995 * mb);
  });

  it("makes room for small ones again within some thousand of them", () => {
    let [largest, entries, reads] = [8 * mb, 0, 0];
    for (; roomFor({ ...fresh, largest }) < 128; reads += 1) {
      const count = roomFor({ ...fresh, largest });
      entries += count;
      largest = largestOfLate({ ...fresh, largest }, { count, largest: 100 });
    }
    expect(entries).toBeLessThan(6_000);
    expect(reads).toBeLessThan(1_300);
  });
});

import fc from "fast-check";
import * as O from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import { certainLag, countBudget, lagOf, type LagFacts, type UnreadCount } from "../../src/model/lag.js";
import { idOf } from "../support/deliveries.js";

/** Ten entries `11-0` to `20-0` of twenty that were added, read up to `14-0`. */
const facts: LagFacts = {
  length: 10,
  entriesAdded: 20,
  ends: { first: idOf(11), last: idOf(20) },
  lastDelivered: idOf(14),
  reported: 6,
};
const notCounted: UnreadCount = { count: 0, isComplete: false };
const lag = (more: Partial<LagFacts>, unread = notCounted): readonly [number | undefined, string] => {
  const found = lagOf({ ...facts, ...more }, unread);
  return [O.toUndefined(found.lag), found.lagSource];
};

describe("certainLag", () => {
  it.each<readonly [string, Partial<LagFacts>, number | undefined]>([
    ["0 without an entry", { length: 0, ends: undefined }, 0],
    ["0 at the last entry", { lastDelivered: idOf(20) }, 0],
    ["0 behind the last entry, which was deleted", { lastDelivered: idOf(21) }, 0],
    ["the length before the first entry", { lastDelivered: idOf(0) }, 10],
    ["the length right before the first entry", { lastDelivered: idOf(10) }, 10],
    ["not known at the first entry of a trimmed stream", { lastDelivered: idOf(11) }, undefined],
    ["not known before the last entry of a trimmed stream", { lastDelivered: idOf(19) }, undefined],
    ["Redis' own where nothing was removed", { entriesAdded: 10 }, 6],
    ["not known where nothing was removed and Redis has none", { entriesAdded: 10, reported: undefined }, undefined],
    ["not known where Redis' own is impossible", { entriesAdded: 10, reported: 10 }, undefined],
    ["not known where Redis says 0 of a group that is behind", { entriesAdded: 10, reported: 0 }, undefined],
    ["not known where the server does not count what was added", { entriesAdded: undefined }, undefined],
  ])("is %s", (_, more, expected) => expect(certainLag({ ...facts, ...more })).toBe(expected));

  it("orders ids by number", () =>
    expect(certainLag({ ...facts, ends: { first: idOf(9), last: idOf(10) }, lastDelivered: idOf(8) })).toBe(10));
});

describe("lagOf", () => {
  it.each<readonly [string, Partial<LagFacts>, UnreadCount | undefined, readonly [number | undefined, string]]>([
    ["takes what was counted for Redis' own where they agree", {}, { count: 6, isComplete: true }, [6, "redis"]],
    ["corrects Redis: trimmed past unread entries, then read on", {}, { count: 2, isComplete: true }, [2, "counted"]],
    ["corrects Redis right after a trim past unread entries", { lastDelivered: idOf(1), reported: 19 }, undefined, [10, "counted"]],
    ["corrects Redis at the end of the stream", { lastDelivered: idOf(20), reported: 3 }, undefined, [0, "counted"]],
    ["fills in for null", { reported: undefined }, { count: 6, isComplete: true }, [6, "counted"]],
    ["fills in a 0 for null", { reported: undefined, lastDelivered: idOf(20) }, undefined, [0, "counted"]],
    ["believes Redis beyond the limit", {}, { count: 3, isComplete: false }, [6, "redis"]],
    ["believes Redis when nothing may be counted", {}, notCounted, [6, "redis"]],
    ["does not believe what the length disproves", { reported: 10 }, { count: 3, isComplete: false }, [undefined, "unknown"]],
    ["does not believe what the count disproves", { reported: 2 }, { count: 3, isComplete: false }, [undefined, "unknown"]],
    ["knows nothing about null beyond the limit", { reported: undefined }, { count: 3, isComplete: false }, [undefined, "unknown"]],
  ])("%s", (_, more, unread, expected) => expect(lag(more, unread)).toEqual(expected));

  it("is right for every stream and whatever Redis says, when all unread entries are counted", () => {
    const world = fc.record({
      removed: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
      position: fc.nat(31),
      reported: fc.option(fc.nat(40), { nil: undefined }),
    });
    fc.assert(
      fc.property(world, ({ removed, position, reported }) => {
        const kept = removed.flatMap((gone, index) => (gone ? [] : [index + 1]));
        const unread = kept.filter((number) => number > position).length;
        const ends = kept.length === 0 ? undefined : { first: idOf(kept[0]!), last: idOf(kept.at(-1)!) };
        const truth: LagFacts = { length: kept.length, entriesAdded: removed.length, ends, lastDelivered: idOf(position), reported };
        fc.pre(kept.length < removed.length || reported === undefined || reported === unread); // Redis is right where nothing was removed
        expect(lagOf(truth, { count: unread, isComplete: true }).lag).toEqual(O.some(unread));
      }),
    );
  });

  it("is never more than the length, and none exactly when it is unknown, whatever the facts and the count", () => {
    const anyFacts = fc.record({
      length: fc.nat(50),
      entriesAdded: fc.option(fc.nat(50), { nil: undefined }),
      ends: fc.option(
        fc.tuple(fc.nat(50), fc.nat(50)).map(([first, more]) => ({ first: idOf(first), last: idOf(first + more) })),
        { nil: undefined },
      ),
      lastDelivered: fc.nat(60).map(idOf),
      reported: fc.option(fc.integer({ min: -5, max: 100 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(anyFacts, fc.nat(50), (some, count) => {
        const found = lagOf(some, { count, isComplete: false });
        expect(O.isNone(found.lag)).toBe(found.lagSource === "unknown");
        if (O.isSome(found.lag)) expect(found.lag.value >= 0 && found.lag.value <= some.length).toBe(true);
      }),
    );
  });
});

describe("countBudget", () => {
  it.each([
    [10_000, 100, 10_000],
    [10_000, 4_000, 1_000],
    [10_000, 5_000_000, 0],
    [10_000, 0, 10_000],
    [0, 100, 0],
  ])("of %d entries of %d characters is %d", (limit, bytes, expected) => expect(countBudget(limit, bytes)).toBe(expected));
});

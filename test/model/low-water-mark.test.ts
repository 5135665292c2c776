import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryIdOrd, toEntryId, type EntryId } from "../../src/model/entry-id.js";
import { lowWaterMark } from "../../src/model/low-water-mark.js";

const entry = fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n)).map(([ms, seq]) => toEntryId(`${ms}-${seq}`));
const stream = fc
  .uniqueArray(entry, { minLength: 1, maxLength: 40 })
  .map((ids) => ids.filter((id) => id !== "0-0").sort(EntryIdOrd.compare));
const isUpTo = (mark: EntryId, id: EntryId): boolean => EntryIdOrd.compare(id, mark) <= 0;

describe("lowWaterMark", () => {
  it("is the last id given when everything is settled", () => {
    expect(lowWaterMark(toEntryId("7-3"), [])).toBe("7-3");
  });

  it("is just before the first unsettled one", () => {
    expect(lowWaterMark(toEntryId("7-3"), ["7-0", "5-2", "6-0"].map(toEntryId))).toBe("5-1");
    expect(lowWaterMark(toEntryId("7-3"), [toEntryId("7-0")])).toBe("6-18446744073709551615");
  });

  it("stays where it was set back to, whatever of the former stream is unsettled", () => {
    expect(lowWaterMark(toEntryId("2-0"), [toEntryId("7-0")])).toBe("2-0");
  });

  it("never passes what is unsettled and never holds back more than that, in whatever order entries are given and settled", () => {
    fc.assert(
      fc.property(stream, fc.infiniteStream(fc.nat()), (ids, choices) => {
        const waiting = [...ids];
        const unsettled = new Set<EntryId>();
        const settled: EntryId[] = [];
        let given = toEntryId("0-0");
        let before = given;
        for (const choice of choices) {
          if (waiting.length === 0 && unsettled.size === 0) break;
          if (waiting.length > 0 && (unsettled.size === 0 || choice % 2 === 0)) unsettled.add((given = waiting.shift()!));
          else {
            const id = [...unsettled][choice % unsettled.size]!;
            unsettled.delete(id);
            settled.push(id);
          }
          const mark = lowWaterMark(given, unsettled);
          expect([...unsettled, ...waiting].some((id) => isUpTo(mark, id))).toBe(false);
          const first = [...unsettled].sort(EntryIdOrd.compare)[0];
          for (const id of settled) if (first === undefined || !isUpTo(id, first)) expect(isUpTo(mark, id)).toBe(true);
          expect(isUpTo(mark, before)).toBe(true);
          before = mark;
        }
        expect(before).toBe(ids.at(-1) ?? "0-0");
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryIdOrd, entryTime, idBefore, isEntryId, toEntryId, type EntryId } from "../../src/model/entry-id.js";

const u64Max = 2n ** 64n - 1n;
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: u64Max }),
  fc.bigInt({ min: 0n, max: 20n }),
  fc.constantFrom(0n, u64Max, 2n ** 53n, 2n ** 53n + 1n),
);
const pair = fc.tuple(u64, u64);
const idFrom = ([ms, seq]: readonly [bigint, bigint]): EntryId => toEntryId(`${ms.toString()}-${seq.toString()}`);
const entryId = pair.map(idFrom);

describe("isEntryId", () => {
  it.each(["0-0", "9-0", "1526919030474-55", "18446744073709551615-18446744073709551615"])("accepts %s", (text) => {
    expect(isEntryId(text)).toBe(true);
  });

  it.each([
    "",
    "-",
    "1",
    "1526919030474",
    "1-",
    "-1",
    "01-0",
    "1-00",
    "1-*",
    "(1-0",
    "$",
    "1-0 ",
    "1-0\n",
    "1.5-0",
    "1-0-0",
    "-1-0",
    "18446744073709551616-0",
    "0-18446744073709551616",
    "99999999999999999999-0",
    "100000000000000000000-0",
  ])("refuses %j", (text) => {
    expect(isEntryId(text)).toBe(false);
  });
});

describe("toEntryId", () => {
  it("gives the text back", () => expect(toEntryId("1526919030474-55")).toBe("1526919030474-55"));

  it("throws a RangeError that shows what it got", () => {
    expect(() => toEntryId("yesterday")).toThrow(
      new RangeError('Expected an entry id "<ms>-<seq>" of two unsigned 64-bit numbers, got `yesterday`'),
    );
  });
});

describe("EntryIdOrd", () => {
  it("orders by number and not as text", () => {
    const ids = ["10-0", "9-10", "9-9", "18446744073709551615-0", "0-1"].map(toEntryId);
    expect(ids.sort(EntryIdOrd.compare)).toEqual(["0-1", "9-9", "9-10", "10-0", "18446744073709551615-0"]);
  });

  it("is the order of pairs of 64-bit numbers", () => {
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const expected = one[0] !== other[0] ? (one[0] < other[0] ? -1 : 1) : one[1] === other[1] ? 0 : one[1] < other[1] ? -1 : 1;
        expect(EntryIdOrd.compare(idFrom(one), idFrom(other))).toBe(expected);
      }),
    );
  });

  it("is total: antisymmetric, transitive, and zero only for equals", () => {
    const { compare, equals } = EntryIdOrd;
    fc.assert(
      fc.property(entryId, entryId, entryId, (a, b, c) => {
        expect(compare(a, a)).toBe(0);
        expect(compare(a, b) + compare(b, a)).toBe(0);
        expect(compare(a, b) === 0).toBe(equals(a, b));
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe("entryTime", () => {
  it("is the first half", () => expect(entryTime(toEntryId("1526919030474-55"))).toBe(1_526_919_030_474));
});

describe("idBefore", () => {
  it.each([
    ["5-3", "5-2"],
    ["5-1", "5-0"],
    ["5-0", "4-18446744073709551615"],
    ["10-0", "9-18446744073709551615"],
    ["0-1", "0-0"],
    ["0-18446744073709551615", "0-18446744073709551614"],
  ])("%s → %s", (id, before) => expect(idBefore(toEntryId(id))).toBe(before));

  it("stays at the lowest id of all", () => expect(idBefore(toEntryId("0-0"))).toBe("0-0"));

  it("is the greatest id below: nothing lies between", () => {
    const asNumber = (id: EntryId): bigint => {
      const [ms, seq] = id.split("-").map(BigInt);
      return ms! * (u64Max + 1n) + seq!;
    };
    fc.assert(
      fc.property(entryId, (id) => {
        fc.pre(id !== "0-0");
        expect(isEntryId(idBefore(id))).toBe(true);
        expect(asNumber(idBefore(id))).toBe(asNumber(id) - 1n);
      }),
    );
  });
});

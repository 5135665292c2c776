import { describe, expect, it } from "vitest";
import { toNewPairs } from "../../src/model/append-fields.js";
import { redrivenField } from "../../src/model/redriven.js";

describe("toNewPairs", () => {
  it("writes text, numbers, booleans and bigints as text, and bytes as they are", () => {
    const bytes = Uint8Array.from([1, 2, 3]).subarray(1);
    expect(toNewPairs({ a: "", n: -0.5, yes: false, big: 2n ** 64n, bytes })).toEqual(
      ["a", "", "n", "-0.5", "yes", "false", "big", "18446744073709551616", "bytes", Buffer.from([2, 3])], // prettier-ignore
    );
  });

  it("takes pairs where order and repeats matter", () => {
    expect(toNewPairs([["2", "x"], ["1", "y"], ["2", 3]])).toEqual(["2", "x", "1", "y", "2", "3"]); // prettier-ignore
    expect(toNewPairs(new Map([["__proto__", "data"]]))).toEqual(["__proto__", "data"]);
  });

  it("adds fields of its own behind, and leaves those of the value", () => {
    expect(toNewPairs({ a: "1", traceparent: "mine" }, { traceparent: "00-1", tracestate: "s" })).toEqual(
      ["a", "1", "traceparent", "mine", "tracestate", "s"], // prettier-ignore
    );
  });

  it.each<readonly [string, unknown, RegExp]>([
    ["undefined", { a: 1, note: undefined }, /^Expected field `note` to be .*, got undefined$/],
    ["null", { note: null }, /^Expected field `note` .*, got null$/],
    ["NaN", { n: NaN }, /^Expected field `n` .*a finite number.*, got NaN$/],
    ["a Date", { at: new Date(0) }, /^Expected field `at` .*, got a Date; write `toISOString\(\)` or `getTime\(\)` of it$/],
    ["an array", { list: [1] }, /^Expected field `list` .*, got an array$/],
    ["an object", { deep: {} }, /^Expected field `deep` .*, got object$/],
    ["a function", { f: () => 1 }, /^Expected field `f` .*, got function$/],
    ["a symbol", { s: Symbol("x") }, /^Expected field `s` .*, got symbol$/],
    ["no record", "text", /^Expected a record of fields, got string: say with `fields`/],
    ["a promise", Promise.resolve({ a: 1 }), /^Expected a record of fields, got a promise: say/],
    ["nothing", undefined, /^Expected a record of fields, got undefined/],
    ["bytes alone", Buffer.from("x"), /^Expected a record of fields, got object/],
    ["a name that is none", [[1, "x"]], /^Expected the name of a field to be a string, got 1$/],
    ["no field", {}, /at least one, got none$/],
    ["too many", Array.from({ length: 3_001 }, (_, n) => [String(n), "x"]), /^Expected at most 3000 fields in an entry, got 3001$/],
    ["a name that sources take off", { [redrivenField]: "shipping" }, /is kept for/],
  ])("refuses %s", (_what, fields, message) => {
    expect(() => toNewPairs(fields)).toThrow(message);
  });
});

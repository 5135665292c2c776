import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isText, sizeOf, toBytes, toText } from "../../src/model/raw-pairs.js";

describe("the pairs of an entry", () => {
  it("are passed on as they came, in the form they came in", () => {
    const [text, bytes] = [["a", ""], [Buffer.from("a"), Buffer.alloc(0)]]; // prettier-ignore
    expect(toText(text)).toBe(text);
    expect(toBytes(bytes)).toBe(bytes);
    expect([isText(text), isText(bytes), isText([])]).toEqual([true, false, true]);
  });

  it("become bytes and text again without a loss, when they are UTF-8", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), (text) => {
        expect(toText(toBytes(text))).toEqual(text);
      }),
    );
  });

  it("are as large as their names and values together", () => {
    expect(sizeOf([])).toBe(0);
    expect(sizeOf(["ab", "", "ü", "🙂"])).toBe(5);
    expect(sizeOf(["ab", "", "ü", "🙂"].map((text) => Buffer.from(text)))).toBe(8);
  });
});

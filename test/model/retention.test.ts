import { describe, expect, it } from "vitest";
import { retentionWords, toRetention, type KeepOptions } from "../../src/model/retention.js";

describe("toRetention", () => {
  it("is nothing, a length, an id, or an id for each write", () => {
    let ms = 4;
    expect(toRetention({}, true)()).toBeUndefined();
    expect(toRetention({ maxLen: 0 }, false)()).toEqual({ _tag: "maxLen", count: 0, exact: false });
    expect(toRetention({ minId: "5-1" }, true)()).toEqual({ _tag: "minId", id: "5-1", exact: true });
    const moving = toRetention({ minId: () => String((ms += 1)) }, true);
    expect([moving(), moving()]).toMatchObject([{ id: "5" }, { id: "6" }]);
  });

  it.each<readonly [unknown, RegExp]>([
    [{ maxLen: -1 }, /^Expected `maxLen` to be an integer of 0 or more/],
    [{ maxLen: "5" }, /^Expected `maxLen`/],
    [{ minId: "yesterday" }, /^Expected `minId` to be "<ms>-<seq>" or "<ms>", got `yesterday`/],
    [{ minId: 5 }, /^Expected `minId`/],
    [{ maxLen: 1, minId: "1" }, /^Expected one of `maxLen` and `minId`, got both/],
  ])("refuses %j", (options, message) => expect(() => toRetention(options as KeepOptions, false)).toThrow(message));

  it("refuses what a function answers when it does", () => {
    expect(() => toRetention({ minId: () => "x" }, false)()).toThrow(/^Expected `minId`/);
  });
});

describe("retentionWords", () => {
  it("is what XADD and XTRIM take", () => {
    expect(retentionWords({ _tag: "maxLen", count: 5, exact: false })).toEqual(["maxlen", "~", 5]);
    expect(retentionWords({ _tag: "minId", id: "5-0", exact: true })).toEqual(["minid", "=", "5-0"]);
  });
});

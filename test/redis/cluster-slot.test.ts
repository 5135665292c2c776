import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slotOf } from "../../src/redis/cluster-slot.js";

describe("slotOf", () => {
  it.each([
    ["123456789", 12_739], // the check value of CRC16/XMODEM, 0x31C3
    ["", 0],
    ["foo", 12_182],
    ["bar", 5_061],
    ["hello", 866],
    ["somekey", 11_058],
  ])("%j → %d", (key, slot) => expect(slotOf(key)).toBe(slot));

  it.each([
    ["{user1000}.following", "user1000"],
    ["foo{bar}{zap}", "bar"],
    ["foo{{bar}}zap", "{bar"],
    ["foo}{bar}", "bar"],
  ])("hashes only the first tag of %s", (key, tag) => expect(slotOf(key)).toBe(slotOf(tag)));

  it("hashes the whole key when the first tag is empty", () => {
    expect(slotOf("foo{}{bar}")).not.toBe(slotOf("bar"));
    expect(slotOf("foo{}{bar}")).toBe(8_363); // the example of the cluster specification
  });

  it("agrees with the implementation that ioredis routes by", () => {
    const require = createRequire(import.meta.url);
    const calculateSlot = createRequire(require.resolve("ioredis"))("cluster-key-slot") as (key: string) => number;
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (key) => {
        expect(slotOf(key)).toBe(calculateSlot(key));
      }),
    );
  });
});

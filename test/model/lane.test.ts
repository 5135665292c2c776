import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { laneOf, murmur3 } from "../../src/model/lane.js";

describe("murmur3", () => {
  /** Vectors of MurmurHash3_x86_32 with seed 0, as other implementations publish them. */
  it.each([
    ["", 0x00000000],
    ["a", 0x3c2569b2],
    ["abc", 0xb3dd93fa],
    ["test", 0xba6bd213],
    ["hello", 0x248bfa47],
    ["Hello, world!", 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ])("%j", (text, hash) => expect(murmur3(text)).toBe(hash));

  it("hashes the bytes of UTF-8, not the units of UTF-16", () => {
    expect(murmur3("ππππππππ")).toBe(0xec72b6e8); // 16 bytes: four whole blocks
    expect(murmur3("\ud800")).toBe(murmur3("\ufffd")); // half a pair has no bytes of its own
  });

  it("is the same for a text of any length, also beyond its buffer", () => {
    const long = "x".repeat(5_000);
    expect(murmur3(long)).toBe(murmur3(long));
    expect(murmur3(long)).not.toBe(murmur3(long.slice(1)));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => murmur3(text) === murmur3(Buffer.from(text).toString())));
  });
});

describe("laneOf", () => {
  it("is a lane there is, and always the same one", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 65_536 }), (key, lanes) => {
        const lane = laneOf(key, lanes);
        expect(lane).toBe(laneOf(key, lanes));
        expect(Number.isInteger(lane) && lane >= 0 && lane < lanes).toBe(true);
      }),
    );
  });

  it("does not change from release to release", () => {
    expect(["alice", "bob", "carol", "customer-7", ""].map((key) => laneOf(key, 32))).toEqual([9, 21, 4, 14, 0]);
  });

  const uuid = (n: number): string =>
    createHash("md5")
      .update(String(n))
      .digest("hex")
      .replace(/^(.{8})(.{4})(.{4})/, "$1-$2-$3-");
  const keys: readonly (readonly [string, (n: number) => string])[] = [
    ["sequential numbers", (n) => String(n)],
    ["numbers with a prefix", (n) => `customer-${String(n).padStart(8, "0")}`],
    ["even numbers", (n) => String(2 * n)],
    ["UUIDs", uuid],
    ["e-mail addresses", (n) => `${["ann", "bob", "eve", "joe"][n % 4] ?? ""}.${n}@${n % 3 === 0 ? "example.com" : "mail.example.org"}`],
  ];
  /** Pearson's statistic against an even spread; with k lanes its mean is k - 1 and its deviation sqrt(2 (k - 1)). */
  const unevenness = (lanesOf: Iterable<number>, lanes: number): number => {
    const counts = new Array<number>(lanes).fill(0);
    let total = 0;
    for (const lane of lanesOf) {
      counts[lane]! += 1;
      total += 1;
    }
    return counts.reduce((sum, count) => sum + (count - total / lanes) ** 2 / (total / lanes), 0);
  };
  describe.each(keys)("spreads %s evenly", (_, key) => {
    it.each([2, 7, 32, 100])("over %i lanes", (lanes) => {
      const spread = Array.from({ length: 20_000 }, (_unused, n) => laneOf(key(n), lanes));
      expect(unevenness(spread, lanes)).toBeLessThan(lanes - 1 + 4.5 * Math.sqrt(2 * (lanes - 1)));
    });
  });

  it("spreads the keys of one partition, chosen by the remainder of the same hash, over all lanes", () => {
    const inPartition = Array.from({ length: 160_000 }, (_, n) => `customer-${n}`).filter((key) => murmur3(key) % 8 === 3);
    expect(
      unevenness(
        inPartition.map((key) => laneOf(key, 32)),
        32,
      ),
    ).toBeLessThan(31 + 4.5 * Math.sqrt(62));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkpointKey, deadLetterKey, failuresKey, orderKey, retryKey, streamName } from "../../src/model/keys.js";
import { slotOf } from "../../src/redis/cluster-slot.js";

describe("deadLetterKey", () => {
  it.each([
    ["orders", "{orders}:dlq:shipping"],
    ["{orders}", "{orders}:dlq:shipping"],
    ["{orders}:eu", "{orders}:eu:dlq:shipping"],
    ["shop:{orders}", "shop:{orders}:dlq:shipping"],
    ["a:{b}:{c}", "a:{b}:{c}:dlq:shipping"],
  ])("%s → %s", (stream, key) => expect(deadLetterKey(stream, "shipping")).toBe(key));
});

describe("deadLetterKey without a group", () => {
  it.each([
    ["orders", "{orders}:dlq"],
    ["{orders}:eu", "{orders}:eu:dlq"],
  ])("%s → %s", (stream, key) => expect(deadLetterKey(stream)).toBe(key));
});

describe("checkpointKey", () => {
  it.each([
    ["orders", "{orders}:checkpoint:audit"],
    ["{orders}:eu", "{orders}:eu:checkpoint:audit"],
  ])("%s → %s", (stream, key) => expect(checkpointKey(stream, "audit")).toBe(key));
});

describe("retryKey", () => {
  it.each([
    ["orders", "{orders}:retry:shipping"],
    ["{orders}:eu", "{orders}:eu:retry:shipping"],
  ])("%s → %s", (stream, key) => expect(retryKey(stream, "shipping")).toBe(key));
});

describe("failuresKey", () => {
  it.each([
    ["orders", "{orders}:failures:shipping"],
    ["{orders}:eu", "{orders}:eu:failures:shipping"],
  ])("%s → %s", (stream, key) => expect(failuresKey(stream, "shipping")).toBe(key));
});

describe("streamName", () => {
  it.each(["orders", "{orders}", "{orders}:eu", "a{b}c", "a}b{c}", "{a}{", "ünï:coöde"])("accepts %s", (name) => {
    expect(streamName("stream", name)).toBe(name);
  });

  it.each(["{", "}", "{}", "{}{a}", "orders}", "{orders", "a{}"])("refuses %s, which no helper key can share a slot with", (name) => {
    expect(() => streamName("stream", name)).toThrow(/^Expected `stream` to have a whole hash tag/);
  });
});

describe("helper keys", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
  const braced = fc
    .array(fc.oneof(word, fc.constantFrom("{", "}", "{}", "{a}", "}{")), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join(""));

  it("share the slot of every stream that is accepted, whatever the group is called", () => {
    fc.assert(
      fc.property(fc.oneof(word, braced), fc.oneof(word, braced), (stream, group) => {
        try {
          streamName("stream", stream);
        } catch {
          fc.pre(false);
        }
        expect(slotOf(deadLetterKey(stream, group))).toBe(slotOf(stream));
        expect(slotOf(retryKey(stream, group))).toBe(slotOf(stream));
        expect(slotOf(orderKey(stream, group))).toBe(slotOf(stream));
      }),
      { numRuns: 1_000 },
    );
  });

  it("differ from each other and from the stream", () => {
    fc.assert(
      fc.property(word, word, (stream, group) => {
        fc.pre(!/[{}]/.test(stream));
        expect(new Set([stream, deadLetterKey(stream, group), retryKey(stream, group)]).size).toBe(3);
      }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { decodeRead } from "../../src/redis/decode-reply.js";
import { forgetReply } from "../../src/redis/forget-reply.js";

describe("forgetReply", () => {
  it.each<readonly [string, () => unknown]>([
    ["nested pairs", () => [["orders", [["1-0", ["a", "1"]]]]]],
    ["a flat list", () => ["orders", [["1-0", ["a", "1"]]]]],
    ["an object", () => ({ orders: [["1-0", ["a", "1"]]] })],
    ["a map", () => new Map([["orders", [["1-0", ["a", "1"]]]]])],
  ])("leaves nothing in %s, and what was taken out as it is", (_, make) => {
    const reply = make();
    const pages = decodeRead(reply, (key) => key);
    forgetReply(reply);
    expect(decodeRead(reply, (key) => key)).toEqual([]);
    expect(pages).toEqual([{ stream: "orders", entries: [["1-0", ["a", "1"]]] }]);
  });

  it("has nothing to do with a null", () => expect(() => forgetReply(null)).not.toThrow());
});

import { describe, expect, it } from "vitest";
import { claimName } from "../../src/flow/claim-name.js";
import { dedupePrefix } from "../../src/model/keys.js";

describe("claimName", () => {
  it("keeps a short key and hashes a long one, and no key can look like the hash of another", () => {
    const long = "x".repeat(129);
    expect(claimName("A-1")).toBe("=A-1");
    expect(claimName(long)).toMatch(/^#[\w-]{43}$/);
    expect(claimName(claimName(long))).toBe(`=${claimName(long)}`);
    expect(claimName(long)).not.toBe(claimName(`${long}x`));
  });

  it.each([undefined, null, 7, ""])("refuses %j, which would make repeats of all entries", (key) => {
    expect(() => claimName(key as string)).toThrow(/`key` of dedupe/);
  });
});

describe("dedupePrefix", () => {
  it("keeps groups, streams and shared scopes apart, beside what they are about", () => {
    expect(dedupePrefix({ _tag: "group" }, "orders", "shipping")).toBe("{orders}:dedupe:group:shipping:");
    expect(dedupePrefix({ _tag: "group" }, "{eu}:orders", "a:b")).toBe("{eu}:orders:dedupe:group:a%3Ab:");
    expect(dedupePrefix({ _tag: "stream" }, "orders", "shipping")).toBe("{orders}:dedupe:stream:");
    expect(dedupePrefix({ _tag: "shared", name: "payments" }, "orders", "shipping")).toBe("{payments}:dedupe:shared:");
    expect(dedupePrefix({ _tag: "shared", name: "{payments}:cards" }, "orders", "shipping")).toBe("{payments}:cards:dedupe:shared:");
  });
});

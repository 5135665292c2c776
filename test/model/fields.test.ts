import { describe, expect, it } from "vitest";
import { toFields } from "../../src/model/fields.js";

describe("toFields", () => {
  it("reads name, value, name, value …", () => {
    expect({ ...toFields(["a", "1", "b", "2"]) }).toEqual({ a: "1", b: "2" });
  });

  it("takes a field named __proto__ for data", () => {
    const fields = toFields(["__proto__", "evil", "constructor", "data"]);
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(Object.keys(fields)).toEqual(["__proto__", "constructor"]);
    expect(fields["__proto__"]).toBe("evil");
    expect(({} as Record<string, unknown>)["evil"]).toBeUndefined();
  });

  it("keeps values as bytes when they came so, by their names as text", () => {
    const [odd, none] = [Buffer.from([0, 255, 0xc3, 0x28]), Buffer.alloc(0)];
    const fields = toFields([Buffer.from("größe"), odd, Buffer.from("__proto__"), none]);
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect({ ...fields }).toEqual({ größe: odd, ["__proto__"]: none });
  });

  it("has nothing that the entry has not", () => {
    const fields = toFields([]);
    expect("toString" in fields).toBe(false);
    expect("hasOwnProperty" in fields).toBe(false);
  });

  it("lets the last value of a repeated name win", () => expect(toFields(["a", "1", "b", "2", "a", "3"])["a"]).toBe("3"));

  it("keeps empty names and values", () => expect({ ...toFields(["", "nameless", "empty", ""]) }).toEqual({ "": "nameless", empty: "" }));
});

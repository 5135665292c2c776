import { describe, expect, it } from "vitest";
import { callable, durationMs, integer, number, oneOf, relation, text } from "../../src/model/check.js";

/** What somebody without a compiler passes. */
const untyped = (value: unknown): never => value as never;

describe("integer", () => {
  it("gives the value back", () => expect(integer("n", 3, 1, 5)).toBe(3));

  it.each([
    [() => integer("maxInFlight", 0, 1, 10), new RangeError("Expected `maxInFlight` to be an integer from 1 to 10, got `0` (number)")],
    [() => integer("n", 11, 1, 10), new RangeError("Expected `n` to be an integer from 1 to 10, got `11` (number)")],
    [() => integer("n", 1.5, 1), new RangeError("Expected `n` to be an integer of 1 or more, got `1.5` (number)")],
    [() => integer("n", NaN, 1), new RangeError("Expected `n` to be an integer of 1 or more, got `NaN` (number)")],
    [() => integer("n", Infinity, 1), new RangeError("Expected `n` to be an integer of 1 or more, got `Infinity` (number)")],
    [() => integer("n", untyped("5"), 1), new TypeError('Expected `n` to be an integer of 1 or more, got `"5"` (string)')],
    [() => integer("n", untyped(null), 1), new TypeError("Expected `n` to be an integer of 1 or more, got `null` (null)")],
    [() => integer("n", untyped(undefined), 1), new TypeError("Expected `n` to be an integer of 1 or more, got `undefined` (undefined)")],
    [() => integer("n", untyped({ a: 1 }), 1), new TypeError('Expected `n` to be an integer of 1 or more, got `{"a":1}` (object)')],
  ])("names the option, the range and the value: %#", (check, error) => {
    expect(check).toThrow(error);
    expect(check).toThrow(expect.objectContaining({ name: error.name }) as Error);
  });

  it("names the option for values that JSON does not know", () => {
    expect(() => integer("n", untyped(10n), 1)).toThrow(/^Expected `n` to be an integer/);
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(() => integer("n", untyped(circular), 1)).toThrow(/^Expected `n` to be an integer/);
  });
});

describe("durationMs", () => {
  it("takes whole ms, 0 included", () => expect([durationMs("waitMs", 0), durationMs("waitMs", 60_000)]).toEqual([0, 60_000]));

  it.each([-1, 0.5, NaN, Infinity, 2 ** 31])("refuses %d", (ms) =>
    expect(() => durationMs("waitMs", ms)).toThrow(/^Expected `waitMs` to be an integer from 0 to 2147483647/),
  );

  it("has the lower bound it is given", () =>
    expect(() => durationMs("leaseMs", 99, 100)).toThrow("`leaseMs` to be an integer from 100 to 2147483647, got `99`"));
});

describe("number", () => {
  it("takes fractions", () => expect(number("factor", 1.5, 1)).toBe(1.5));

  it.each([0.9, NaN, Infinity])("refuses %d", (value) => expect(() => number("factor", value, 1)).toThrow(RangeError));

  it("refuses what is no number with a TypeError", () => expect(() => number("factor", untyped("2"), 1)).toThrow(TypeError));
});

describe("text", () => {
  it("gives the text back", () => expect(text("group", "shipping")).toBe("shipping"));

  it("refuses the empty text", () =>
    expect(() => text("group", "")).toThrow(new RangeError('Expected `group` to be a string that is not empty, got `""` (string)')));

  it("refuses what is no text", () =>
    expect(() => text("group", untyped(5))).toThrow(new TypeError("Expected `group` to be a string, got `5` (number)")));
});

describe("oneOf", () => {
  it("gives the value back", () => expect(oneOf("mode", "ack", ["ack", "ackAndDelete"])).toBe("ack"));

  it("lists what is allowed", () => {
    expect(() => oneOf("mode", untyped("nack"), ["ack", "ackAndDelete"])).toThrow(
      new RangeError('Expected `mode` to be one of "ack", "ackAndDelete", got `"nack"` (string)'),
    );
  });
});

describe("callable", () => {
  it("gives the function back", () => {
    const handler = (): void => undefined;
    expect(callable("handler", handler)).toBe(handler);
  });

  it("refuses the rest", () =>
    expect(() => callable("handler", untyped(undefined))).toThrow(
      new TypeError("Expected `handler` to be a function, got `undefined` (undefined)"),
    ));
});

describe("relation", () => {
  it("throws its message when it does not hold", () => expect(() => relation(false, "too small")).toThrow(new RangeError("too small")));

  it("is silent when it holds", () => expect(() => relation(true, "too small")).not.toThrow());
});

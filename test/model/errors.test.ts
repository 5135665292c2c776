import { describe, expect, it } from "vitest";
import * as errors from "../../src/errors.js";

const one = {
  wrongType: new errors.WrongTypeError("orders", new Error("WRONGTYPE")),
  access: new errors.AccessError("NOPERM no", undefined),
  missing: new errors.GroupMissingError("orders", "shipping", undefined),
  noStream: new errors.StreamMissingError("orders"),
  command: new errors.CommandError("ERR syntax error", undefined),
  reply: new errors.ReplyError("XACK", "null"),
  decode: new errors.DecodeError("amount: not a number"),
  timeout: new errors.HandlerTimeoutError(50),
  exhausted: new errors.DeliveriesExhaustedError(6, 5),
};

describe("StreamsError", () => {
  it.each(Object.values(one))("$name has its tag as its name, and is known to isStreamsError", (error) => {
    expect(error.name).toBe(error._tag);
    expect(error).toBeInstanceOf(Error);
    expect(errors.isStreamsError(error)).toBe(true);
    expect(typeof error.retryable).toBe("boolean");
  });

  it("names what it is about and what to do", () => {
    expect(one.missing.message).toBe(
      'Group "shipping" of stream "orders" does not exist any more: create it, or use onMissingGroup: "recreate"',
    );
    expect(one.timeout.message).toContain("50 ms (timeoutMs)");
    expect(one.exhausted.message).toMatch(/^Delivered 6 times.* 5 \(maxDeliveries\)/);
  });

  it("keeps its cause, and has none when there is none", () => {
    expect(one.wrongType.cause).toEqual(new Error("WRONGTYPE"));
    expect("cause" in one.decode).toBe(false);
  });
});

describe("isStreamsError", () => {
  it.each([
    new Error("other"),
    Object.assign(new Error("foreign"), { _tag: "DecodeError" }),
    { _tag: "DecodeError", family: "rxjs-redis-streams" },
    undefined,
    null,
    "x",
  ])("refuses %s", (value) => expect(errors.isStreamsError(value)).toBe(false));

  it("recognises an error of another copy of the package", () => {
    const foreign = Object.assign(new Error("x"), { _tag: "DecodeError", family: "rxjs-redis-streams" });
    expect(errors.isStreamsError(foreign)).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { deliveryOf, settle, settlementOf } from "../../src/model/settlement.js";
import { TestSource } from "../support/deliveries.js";

const delivery = new TestSource().one("1-0");

describe("settle", () => {
  it("makes decisions of data, and writes nothing", () => {
    const cause = new Error("busy");
    expect(settle.ack(delivery).settlement).toEqual({ _tag: "Ack", reason: "processed" });
    expect(settle.ack(delivery, "filtered").settlement).toEqual({ _tag: "Ack", reason: "filtered" });
    expect(settle.retry(delivery, { delayMs: 200, cause }).settlement).toEqual({ _tag: "Retry", delayMs: 200, cause });
    expect(settle.deadLetter(delivery, cause).settlement).toEqual({ _tag: "DeadLetter", cause });
    expect(settle.release(delivery).settlement).toEqual({ _tag: "Release" });
    expect(settle.release(delivery, { delayMs: 9.7 }).settlement).toEqual({ _tag: "Release", delayMs: 10 });
    expect(delivery.state).toBe("open");
  });

  it("rounds a delay to whole ms, which Redis wants", () => {
    expect(settle.retry(delivery, { delayMs: 10.6 }).settlement).toMatchObject({ delayMs: 11 });
  });

  it.each([-1, NaN, Infinity, 1e21])("refuses a delay of %d", (delayMs) => {
    expect(() => settle.retry(delivery, { delayMs })).toThrow(
      new RangeError(`Expected \`delayMs\` to be a number from 0 to ${Number.MAX_SAFE_INTEGER}, got \`${delayMs}\``),
    );
  });
});

describe("settlementOf", () => {
  it("takes an open delivery that reached the sink as processed", () =>
    expect(settlementOf(delivery)).toEqual({ _tag: "Ack", reason: "processed" }));

  it("is the decision otherwise", () => expect(settlementOf(settle.release(delivery))).toEqual({ _tag: "Release" }));
});

describe("deliveryOf", () => {
  it("is the delivery, decided or not", () => {
    expect(deliveryOf(delivery)).toBe(delivery);
    expect(deliveryOf(settle.release(delivery))).toBe(delivery);
  });
});

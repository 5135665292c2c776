import { describe, expect, it } from "vitest";
import { countOf, emptyReceipt } from "../../src/model/receipt.js";
import { settle } from "../../src/model/settlement.js";
import { TestSource } from "../support/deliveries.js";

const delivery = new TestSource().one("1-0");

describe("countOf", () => {
  it.each([
    [settle.ack(delivery), "acked"],
    [settle.ack(delivery, "processed"), "acked"],
    [settle.ack(delivery, "duplicate"), "duplicates"],
    [settle.ack(delivery, "filtered"), "filtered"],
    [settle.retry(delivery, { delayMs: 1 }), "retried"],
    [settle.deadLetter(delivery, "bad"), "deadLettered"],
    [settle.release(delivery), "released"],
  ])("%# → %s", ({ settlement }, count) => expect(countOf(settlement)).toBe(count));
});

describe("emptyReceipt", () => {
  it("counts nothing", () => {
    const { stream, group, ...counts } = emptyReceipt("orders", "shipping");
    expect([stream, group]).toEqual(["orders", "shipping"]);
    expect(Object.keys(counts)).toHaveLength(8);
    expect(new Set(Object.values(counts))).toEqual(new Set([0]));
  });
});

import { describe, expect, it } from "vitest";
import { heldBy, type HeldDelivery } from "../../src/model/held-delivery.js";
import { idOf, TestSource } from "../support/deliveries.js";

describe("a delivery", () => {
  it("has its fields as the value, and the raw pairs beside it", () => {
    const [delivery] = new TestSource().page([["1-0" as never, ["a", "1", "a", "2"], 3]]);
    expect({ ...delivery!.value }).toEqual({ a: "2" });
    expect(delivery).toMatchObject({ _tag: "Delivery", stream: "orders", id: "1-0", group: "shipping", consumer: "me", deliveryCount: 3 });
    expect(delivery!.pairs).toEqual(["a", "1", "a", "2"]);
  });

  it("keeps everything but the value through map", () => {
    const delivery = new TestSource().one("1-0", { amount: "5" }, 2);
    const mapped = delivery.map(({ amount }) => Number(amount)).map((amount) => amount + 1);
    expect(mapped.value).toBe(6);
    for (const name of ["_tag", "stream", "id", "group", "consumer", "deliveryCount", "pairs", "bytes", "signal"] as const) {
      expect(mapped[name]).toBe(delivery[name]);
    }
    expect(heldBy(mapped)).toBe(delivery);
  });

  it("has bytes and text, each made when first read unless it came so, and a size", () => {
    const pairs = ["a", "grüße"];
    const bytes = pairs.map((text) => Buffer.from(text));
    const [text, binary] = new TestSource().page([[idOf(1), pairs], [idOf(2), bytes]]) as [HeldDelivery<unknown>, HeldDelivery<unknown>]; // prettier-ignore
    expect(text.pairs).toBe(pairs);
    expect(text.bytes).toEqual(bytes);
    expect(text.bytes).toBe(text.bytes);
    expect(binary.bytes).toBe(bytes);
    expect(binary.pairs).toEqual(pairs);
    expect(binary.pairs).toBe(binary.pairs);
    expect(binary.map(() => 1).bytes).toBe(bytes);
    expect([text.size, binary.size]).toEqual([6, 8]); // UTF-16 units, and bytes
  });

  it("has nothing as text or as bytes when the entry has nothing", () => {
    const [delivery] = new TestSource().page([[idOf(1), []]]);
    expect([delivery!.pairs, delivery!.bytes, delivery!.size]).toEqual([[], [], 0]);
  });

  it("has a signal that is aborted, with the reason, when the lease is lost", () => {
    const source = new TestSource();
    const delivery = source.one("1-0");
    const { signal } = delivery.map(() => 1);
    expect(signal.aborted).toBe(false);
    source.lose(delivery);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toEqual(new Error("The lease of this delivery is lost"));
  });

  it("has a signal that is aborted already when it is first read after the lease was lost", () => {
    const source = new TestSource();
    const delivery = source.one("1-0");
    source.lose(delivery);
    expect(delivery.signal.aborted).toBe(true);
    expect(delivery.signal.reason).toEqual(new Error("The lease of this delivery is lost"));
  });

  it("has a signal that is aborted already when it is first read after an abort for another reason", () => {
    const delivery = new TestSource().one("1-0");
    delivery.abort(new Error("the handler's time is up"));
    expect(delivery.signal.aborted).toBe(true);
  });

  it("keeps its signal quiet once it is settled", () => {
    const source = new TestSource();
    const delivery = source.one("1-0");
    const { signal } = delivery;
    source.ledger.confirm([{ held: delivery }]);
    source.lose(delivery);
    expect(signal.aborted).toBe(false);
  });
});

describe("heldBy", () => {
  it("refuses a copy, and says what to do instead", () => {
    const copy = Object.assign({}, new TestSource().one("1-0")) as never;
    expect(() => heldBy(copy)).toThrow(
      new TypeError(
        "Expected a delivery that a source of rxjs-redis-streams handed out; use `delivery.map(f)` to change its value, not a copy",
      ),
    );
  });
});

import { describe, expect, it } from "vitest";
import { KeyOrder } from "../../src/model/key-order.js";
import type { OrderAnswer } from "../../src/model/order.js";
import { idOf } from "../support/deliveries.js";

const nothing: OrderAnswer = { isMarked: false, waitsMs: undefined };
const marked: OrderAnswer = { isMarked: true, waitsMs: undefined };
const waits = (waitsMs: number): OrderAnswer => ({ isMarked: false, waitsMs });
const plenty = 100;

/** An order in which these entries arrived and were asked about, in turn; what each was to look above. */
function arrived(...numbers: readonly number[]): { readonly order: KeyOrder; readonly above: readonly (string | undefined)[] } {
  const order = new KeyOrder("a");
  const above = numbers.map((n) => {
    order.arrive();
    return order.lookAbove(idOf(n));
  });
  return { order, above };
}

/** An order that has let these entries through. */
function through(...numbers: readonly number[]): KeyOrder {
  const { order } = arrived(...numbers);
  for (const n of numbers) order.letThrough(idOf(n));
  return order;
}

describe("KeyOrder", () => {
  it("looks above those that are asked about, because what follows them waits for whatever they wait for", () => {
    expect(arrived(1, 2, 9, 10).above).toEqual([undefined, "1-0", "2-0", "9-0"]);
  });

  it("looks below an entry that comes out of order: others may still be in Redis", () => {
    expect(arrived(12, 10).above).toEqual([undefined, undefined]);
    expect(arrived(8, 12, 10).above).toEqual([undefined, "8-0", undefined]);
  });

  it("looks above what was let through, also when something later was put back", () => {
    const order = through(1);
    order.arrive();
    order.lookAbove(idOf(5));
    order.putBack(idOf(5), "arrived", 100);
    order.isBack("leaving");
    order.arrive();
    expect(order.lookAbove(idOf(6))).toBe("1-0"); // 5 is in Redis
  });

  it("looks at everything when what was let through was put back", () => {
    const order = through(1, 2);
    order.putBack(idOf(1), "through", 100);
    order.arrive();
    expect(order.lookAbove(idOf(3))).toBeUndefined();
  });

  it("lets nothing pass what is on its way back, not even on an answer from before", () => {
    const order = through(1);
    order.arrive();
    order.lookAbove(idOf(2));
    expect(order.putBack(idOf(1), "through", 300)).toBe(5_300);
    order.isBack("leaving"); // confirmed before the answer came
    expect(order.decide(idOf(2), nothing, plenty)).toBe(5_300);
  });

  it("lets an entry that comes again pass those behind it that are still on their way back", () => {
    const order = through(1, 2);
    order.putBack(idOf(1), "through", 0);
    order.putBack(idOf(2), "through", 5_000);
    order.isBack("leaving");
    order.arrive();
    expect(order.decide(idOf(1), marked, plenty)).toBeUndefined();
  });

  it("sends back what waits for an entry in Redis, until a while after that is due", () => {
    const { order } = arrived(2);
    expect(order.decide(idOf(2), waits(700), plenty)).toBe(5_700);
  });

  it("lets only so many of a key in that waited, and any number where nothing waits", () => {
    expect(through(1, 2).decide(idOf(3), nothing, 2)).toBeUndefined();
    expect(through(1, 2).decide(idOf(3), marked, 2)).toBe(5_000);
    expect(through(1).decide(idOf(3), marked, 2)).toBeUndefined();
  });

  it("calls for the next ones when all it let through is settled, and remembers whose marks to remove", () => {
    const order = through(1, 2);
    order.decide(idOf(1), marked, plenty);
    order.settle(idOf(1), "through", true);
    expect(order.takeStep(8)).toBeUndefined();
    order.settle(idOf(2), "through", false);
    expect(order.takeStep(8)).toEqual({ key: "a", settled: ["1-0"], count: 8 });
    expect(order.isOver).toBe(true);
  });

  it("has nothing to do in Redis where nothing waited", () => {
    const order = through(1);
    order.settle(idOf(1), "through", false);
    expect(order.takeStep(8)).toBeUndefined();
    expect(order.isOver).toBe(true);
  });

  it("forgets no mark of what somebody else puts back, calls for nothing that waits for it, and looks for it from then on", () => {
    const order = through(1, 2);
    order.decide(idOf(2), marked, plenty);
    order.settle(idOf(1), "through", false);
    order.isBack("through"); // a decision behind the lane, or of another branch
    expect(order.takeStep(8)).toBeUndefined();
    order.arrive();
    expect(order.lookAbove(idOf(3))).toBeUndefined();
  });

  it("calls for the next ones when what it puts back is settled for good: another branch has given up", () => {
    const order = through(1);
    order.putBack(idOf(1), "through", 300);
    order.settle(idOf(1), "leaving", true);
    expect(order.takeStep(8)).toEqual({ key: "a", settled: [], count: 8 });
  });
});

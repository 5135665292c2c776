import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noteFor, toPiles, type Pile } from "../../src/model/pile.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { stateOf, TestSource } from "../support/deliveries.js";

const outline = ({ stream, planned, lost, repeated }: Pile): object => ({
  stream,
  planned: planned.map(({ held, settlement }) => `${held.id} ${settlement._tag}`),
  lost: lost.map(({ id }) => id),
  repeated,
});

describe("toPiles", () => {
  it("makes no pile of nothing", () => expect(toPiles([])).toEqual([]));

  it("plans each decision, an open delivery as processed, and marks it as settling", () => {
    const [a, b, c, d] = new TestSource().many(4);
    const items = [a!, settle.retry(b!, { delayMs: 5 }), settle.deadLetter(c!, "bad"), settle.release(d!)];
    expect(toPiles(items).map(outline)).toEqual([
      { stream: "orders", planned: ["1-0 Ack", "2-0 Retry", "3-0 DeadLetter", "4-0 Release"], lost: [], repeated: 0 },
    ]);
    expect(items.map(stateOf)).toEqual(["settling", "settling", "settling", "settling"]);
  });

  it("sees through map", () => {
    const delivery = new TestSource().one("1-0");
    const [pile] = toPiles([delivery.map(() => 1).map(() => 2)]);
    expect(pile!.planned[0]!.held).toBe(delivery);
  });

  it("counts the first decision about a delivery, and the others as repeated", () => {
    const delivery = new TestSource().one("1-0");
    const [pile] = toPiles([settle.release(delivery), delivery, settle.deadLetter(delivery, "late")]);
    expect(outline(pile!)).toMatchObject({ planned: ["1-0 Release"], repeated: 2 });
    expect(toPiles([delivery]).map(outline)).toEqual([{ stream: "orders", planned: [], lost: [], repeated: 1 }]);
  });

  it("writes nothing for what is lost, once", () => {
    const source = new TestSource();
    const [a, b] = source.many(2);
    source.lose(a!);
    expect(toPiles([a!, b!, a!]).map(outline)).toEqual([{ stream: "orders", planned: ["2-0 Ack"], lost: ["1-0"], repeated: 1 }]);
    expect(stateOf(a!)).toBe("settled");
  });

  it("keeps streams and sources apart, in order of arrival", () => {
    const orders = new TestSource();
    const refunds = new TestSource({ stream: "refunds" }, orders.ledger);
    const elsewhere = new TestSource();
    const [o1, o2] = orders.many(2);
    const [r1] = refunds.many(1);
    const [e1] = elsewhere.many(1);
    const piles = toPiles([o1!, r1!, e1!, o2!]);
    expect(piles.map(({ stream, planned }) => [stream, planned.length])).toEqual([
      ["orders", 2],
      ["refunds", 1],
      ["orders", 1],
    ]);
    expect(piles.map(({ origin }) => origin)).toEqual([orders.ledger, orders.ledger, elsewhere.ledger]);
  });

  it("accepts no look-alike: nobody could return its credit", () => {
    const copy = Object.assign({ _tag: "Delivery" }, new TestSource().one("1-0")) as unknown as Flow<unknown>;
    expect(() => toPiles([copy])).toThrow(/^Expected a delivery that a source of rxjs-redis-streams handed out/);
  });

  it("accounts for every item exactly once, whatever was decided and lost", () => {
    const item = fc.record({ which: fc.nat(9), how: fc.constantFrom("open", "ack", "retry", "dead", "release") });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), fc.array(fc.nat(9)), (items, losses) => {
        const source = new TestSource();
        const deliveries = source.many(10);
        source.lose(...losses.map((which) => deliveries[which]!));
        const flow = items.map(({ which, how }): Flow<unknown> => {
          const delivery = deliveries[which]!;
          if (how === "ack") return settle.ack(delivery);
          if (how === "retry") return settle.retry(delivery, { delayMs: 1 });
          if (how === "dead") return settle.deadLetter(delivery, how);
          return how === "release" ? settle.release(delivery) : delivery;
        });
        const [pile] = toPiles(flow);
        const { planned = [], lost = [], repeated = 0 } = pile ?? {};
        expect(planned.length + lost.length + repeated).toBe(items.length);
        const touched = [...planned.map(({ held }) => held), ...lost];
        expect(new Set(touched).size).toBe(touched.length);
        expect(new Set(touched)).toEqual(new Set(items.map(({ which }) => deliveries[which]!)));
      }),
    );
  });
});

describe("noteFor", () => {
  it("says where the entry comes from, why it failed and how often it was delivered", () => {
    const delivery = new TestSource().one("1-0", { secret: "payload" }, 5);
    expect(JSON.parse(noteFor(delivery, "bad"))).toEqual({
      origin: { stream: "orders", id: "1-0", group: "shipping", consumer: "me" },
      cause: { name: "string", message: "bad" },
      deliveryCount: 5,
    });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeepingLedger } from "../../src/flow/keeping-ledger.js";
import type { HeldDelivery } from "../../src/model/held-delivery.js";
import { lowWaterMark } from "../../src/model/low-water-mark.js";
import { idOf, TestSource } from "../support/deliveries.js";
import { nowMs, timeline } from "../support/virtual-time.js";

function source(window = 10): { ledger: KeepingLedger; given: HeldDelivery<unknown>[] } {
  const ledger = new KeepingLedger(window);
  const given = new TestSource({ group: undefined, consumer: undefined }, ledger).many(window);
  return { ledger, given };
}
const ids = (page: readonly HeldDelivery<unknown>[]): string[] => page.map(({ id, deliveryCount }) => `${id}/${deliveryCount}`);

describe("KeepingLedger", () => {
  it("keeps the place of what is to be delivered again", () => {
    timeline({
      0: () => {
        const { ledger, given } = source();
        ledger.confirm([{ held: given[0]! }, { held: given[1]!, retryInMs: 50 }, { held: given[2]!, released: true }]);
        expect([ledger.free, ledger.unsettled, ledger.starved]).toEqual([1, 9, false]);
        expect(ledger.oldest).toBe(given[3]);
        expect(ledger.outstanding("orders").sort()).toEqual(
          given
            .slice(1)
            .map(({ id }) => id)
            .sort(),
        );
      },
    });
  });

  it("hands it out when it is due: a retry counted, what was released as before", () => {
    const { ledger, given } = source();
    timeline({
      0: () => {
        ledger.confirm([
          { held: given[0]!, retryInMs: 200 },
          { held: given[1]!, released: true },
          { held: given[2]!, retryInMs: 100 },
          { held: given[3]!, retryInMs: 300 },
        ]);
        expect(ledger.nextAt).toBe(100);
        expect(ledger.takeDue()).toEqual([]);
      },
      100: () => expect(ids(ledger.takeDue())).toEqual(["2-0/1", "3-0/2"]),
      250: () => {
        expect(ids(ledger.takeDue())).toEqual(["1-0/2"]);
        expect([ledger.free, ledger.unsettled, ledger.nextAt]).toEqual([0, 10, 300]);
      },
    });
  });

  it("keeps its bytes charged until it is settled, and hands bytes out again as they came", () => {
    timeline({
      0: () => {
        const ledger = new KeepingLedger(100, 1_000);
        const pairs = [Buffer.from("n"), Buffer.alloc(299, 0xff)];
        const given = new TestSource({}, ledger).page([[idOf(1), pairs], [idOf(2), pairs]]); // prettier-ignore
        ledger.confirm([{ held: given[0]!, retryInMs: 0 }, { held: given[1]! }]); // prettier-ignore
        expect([ledger.bytes!.unsettled, ledger.free]).toEqual([300, 2]);
        const [again] = ledger.takeDue();
        expect(again!.bytes).toBe(pairs);
        expect(ledger.bytes!.unsettled).toBe(300);
        ledger.confirm([{ held: again! }]);
        expect(ledger.bytes!.unsettled).toBe(0);
      },
    });
  });

  it("does not count what is kept against the room for bytes a second time", () => {
    const ledger = new KeepingLedger(1_000, 1_000_000);
    const given = new TestSource({}, ledger).many(200);
    ledger.confirm(given.map((held) => ({ held, retryInMs: 60_000 })));
    expect(ledger.free).toBeGreaterThan(15);
  });

  it("says so when something is due earlier than was known, and only then", () => {
    const { ledger, given } = source();
    let heard = 0;
    ledger.rescheduled.subscribe(() => (heard += 1));
    ledger.confirm([{ held: given[0]!, retryInMs: 500 }]);
    ledger.confirm([{ held: given[1]!, retryInMs: 900 }]);
    expect(heard).toBe(1);
    ledger.confirm([{ held: given[2]!, retryInMs: 5 }]);
    expect(heard).toBe(2);
  });

  it("takes a decision once, and none after the end", () => {
    const { ledger, given } = source();
    ledger.confirm([{ held: given[0]!, retryInMs: 50 }]);
    ledger.confirm([{ held: given[0]!, retryInMs: 50 }]);
    expect(ledger.outstanding("orders")).toHaveLength(10);
    ledger.abandon(new Error("over"));
    ledger.confirm([{ held: given[1]!, retryInMs: 50 }]);
    expect(ledger.unsettled).toBe(9);
  });

  it("does not count what is due after the deadline of a drain as unsettled, but as outstanding", () => {
    timeline({
      0: () => {
        const { ledger, given } = source(3);
        let looks = 0;
        ledger.returned.subscribe(() => (looks += 1));
        ledger.confirm([{ held: given[0]!, retryInMs: 50 }, { held: given[1]!, retryInMs: 500 }, { held: given[2]! }]);
        expect([ledger.unsettled, looks]).toEqual([2, 1]);
        ledger.closeAt(nowMs() + 100);
        expect([ledger.unsettled, looks, ledger.outstanding("orders").length]).toEqual([1, 2, 2]);
      },
    });
  });

  it("with it the low-water mark never passes an unsettled entry, in any order of settlements of any kind", () => {
    const ways = fc.array(fc.tuple(fc.nat(), fc.constantFrom("ack", "retry", "release")), { maxLength: 60 });
    fc.assert(
      fc.property(ways, (settlements) => {
        timeline({
          0: () => {
            const { ledger, given } = source(20);
            const unsettled = new Set(given.map(({ id }) => id));
            let open = [...given];
            for (const [choice, way] of settlements) {
              if (open.length === 0) break;
              const held = open.splice(choice % open.length, 1)[0]!;
              if (way === "ack") unsettled.delete(held.id);
              ledger.confirm([way === "ack" ? { held } : way === "retry" ? { held, retryInMs: 0 } : { held, released: true }]);
              open = [...open, ...ledger.takeDue()];
              const lowest = Math.min(...[...unsettled].map((id) => Number(id.split("-")[0])), 21);
              const mark = lowWaterMark(idOf(20), ledger.outstanding("orders"));
              expect(mark).toBe(lowest === 21 ? "20-0" : `${lowest - 1}-18446744073709551615`);
              expect(ledger.outstanding("orders").length).toBe(unsettled.size);
            }
          },
        });
      }),
    );
  });
});

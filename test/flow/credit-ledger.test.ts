import fc from "fast-check";
import { NEVER, of, Subject, throwError, timer } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { CreditLedger } from "../../src/flow/credit-ledger.js";
import { toEntryId } from "../../src/model/entry-id.js";
import type { HeldDelivery } from "../../src/model/held-delivery.js";
import { redrivenField } from "../../src/model/redriven.js";
import { idOf, TestSource } from "../support/deliveries.js";
import { record, timeline } from "../support/virtual-time.js";

const lost = new Error("lost");

describe("CreditLedger", () => {
  it("has its whole window free at the beginning", () => {
    const ledger = new CreditLedger(10);
    expect(ledger).toMatchObject({ window: 10, free: 10, unsettled: 0, starved: false, over: false, oldest: undefined });
  });

  it("counts what is admitted until it is confirmed", () => {
    const source = new TestSource({ window: 3 });
    const { ledger } = source;
    const [a, b, c] = source.many(3);
    expect(ledger).toMatchObject({ free: 0, unsettled: 3, starved: true });
    expect(ledger.oldest).toBe(a);
    ledger.confirm([{ held: a! }, { held: c! }]);
    expect(ledger).toMatchObject({ free: 2, unsettled: 1, starved: false });
    expect(ledger.oldest).toBe(b);
    expect([a!.state, b!.state, c!.state]).toEqual(["settled", "open", "settled"]);
  });

  it("returns a credit once, however often it is confirmed", () => {
    const source = new TestSource({ window: 3 });
    const [a] = source.many(2);
    source.ledger.confirm([{ held: a! }, { held: a! }]);
    source.ledger.confirm([{ held: a! }]);
    expect(source.ledger.free).toBe(2);
  });

  it("emits once per batch that credit came back", () => {
    const source = new TestSource();
    const deliveries = source.many(5);
    const returned = record(source.ledger.returned);
    source.ledger.confirm(deliveries.map((held) => ({ held })));
    expect(returned.values).toHaveLength(1);
    returned.stop();
  });

  describe("admit", () => {
    it("hands out nothing for an entry that is deleted", () => {
      const source = new TestSource();
      expect(source.page([[idOf(1), null], [idOf(2), ["a", "1"]]]).map(({ id }) => id)).toEqual(["2-0"]); // prettier-ignore
      expect(source.ledger.unsettled).toBe(1);
    });

    it("does not hand out again what is open here, when repeats are to be expected", () => {
      const source = new TestSource();
      const { ledger, stream } = source;
      source.many(2);
      const lease = { stream, group: "shipping", consumer: "me" };
      const again = ledger.admit(lease, [[idOf(2), ["n", "2"]], [idOf(3), ["n", "3"]]], ledger.open(stream)); // prettier-ignore
      expect(again.map(({ id }) => id)).toEqual(["3-0"]);
    });

    it("knows when and from where it was, and how often it was delivered", () => {
      let held: HeldDelivery<unknown> | undefined;
      timeline({ 70: () => (held = new TestSource().page([[idOf(1), ["a", "1"], 4]])[0]) });
      expect(held).toMatchObject({ since: 70, deliveryCount: 4, stream: "orders", group: "shipping", consumer: "me", state: "open" });
      expect(new TestSource().page([[idOf(1), ["a", "1"]]])[0]!.deliveryCount).toBe(1);
    });
  });

  describe("starving", () => {
    it("tells its watchers that somebody waits, and is starved for as long as that lasts", () => {
      const source = new TestSource({ window: 100 });
      const { ledger } = source;
      const starved = vi.fn(() => expect(ledger.starved).toBe(true));
      const stop = ledger.watch({ starved });
      const wait$ = new Subject<number>();
      const waiting$ = ledger.starving(wait$);
      expect([starved.mock.calls.length, ledger.starved]).toEqual([0, false]);
      const [one, other] = [record(waiting$), record(waiting$)];
      expect([starved.mock.calls.length, ledger.starved]).toEqual([2, true]);
      one.stop();
      expect(ledger.starved).toBe(true);
      wait$.next(1);
      wait$.complete();
      expect(other).toMatchObject({ values: [1], ended: "complete" });
      expect(ledger.starved).toBe(false);
      stop();
      record(ledger.starving(NEVER)).stop();
      expect(starved).toHaveBeenCalledTimes(2);
    });
  });

  describe("reserving", () => {
    it("sets credit aside while the work goes on, from subscription to answer", () => {
      const ledger = new CreditLedger(10);
      const work$ = new Subject<string>();
      const reserving$ = ledger.reserving(4, work$);
      expect(ledger.free).toBe(10);
      const recording = record(reserving$, () => expect(ledger.free).toBe(10));
      expect(ledger.free).toBe(6);
      work$.next("answer");
      expect(ledger.free).toBe(10);
      work$.complete();
      expect(recording).toMatchObject({ values: ["answer"], ended: "complete" });
      expect(ledger.free).toBe(10);
    });

    it.each([
      ["completes empty", (work$: Subject<string>) => work$.complete()],
      ["errors", (work$: Subject<string>) => work$.error("broken")],
    ])("gives it back once when the work %s", (_, end) => {
      const ledger = new CreditLedger(10);
      const returned = record(ledger.returned);
      const work$ = new Subject<string>();
      record(ledger.reserving(4, work$));
      end(work$);
      expect(ledger.free).toBe(10);
      expect(returned.values).toHaveLength(1);
      returned.stop();
    });

    it("gives it back once when the work is unsubscribed", () => {
      const ledger = new CreditLedger(10);
      const recording = record(ledger.reserving(4, NEVER));
      recording.stop();
      recording.stop();
      expect(ledger.free).toBe(10);
    });

    it("gives it back once although who hears of it unsubscribes the work", () => {
      const ledger = new CreditLedger(10);
      const work$ = new Subject<string>();
      const recording = record(ledger.reserving(4, work$));
      const listening = record(ledger.returned, () => recording.stop());
      work$.next("answer");
      listening.stop();
      expect(ledger.free).toBe(10);
    });

    it("says nothing about credit when none was set aside", () => {
      const ledger = new CreditLedger(10);
      const returned = record(ledger.returned);
      record(ledger.reserving(0, of("answer")));
      expect(returned.values).toHaveLength(0);
      returned.stop();
    });

    it("works anew for each subscription", () => {
      const ledger = new CreditLedger(10);
      const reserving$ = ledger.reserving(3, NEVER);
      const both = [record(reserving$), record(reserving$)];
      expect(ledger.free).toBe(4);
      both.forEach(({ stop }) => stop());
      expect(ledger.free).toBe(10);
    });
  });

  describe("lose", () => {
    it("loses what is open, once, and leaves alone what is being settled, other streams and strangers", () => {
      const source = new TestSource();
      const { ledger } = source;
      const [a, b, c] = source.many(3);
      const other = new TestSource({ stream: "refunds" }, ledger).one("1-0");
      b!.state = "settling";
      const seen: string[] = [];
      ledger.watch({ lost: ({ id }) => seen.push(id) });
      expect(ledger.lose("orders", [idOf(1), idOf(2), idOf(9)], lost)).toEqual(["1-0"]);
      expect(ledger.lose("orders", [idOf(1)], lost)).toEqual([]);
      expect([a!.state, b!.state, c!.state, other.state]).toEqual(["lost", "settling", "open", "open"]);
      expect(seen).toEqual(["1-0"]);
      expect(ledger.unsettled).toBe(4); // its credit comes back when it reaches the sink
    });
  });

  describe("what is in flight", () => {
    it("is known by stream and by state", () => {
      const source = new TestSource();
      const { ledger } = source;
      const [, b, c] = source.page([10, 9, 11, 2].map((number) => [idOf(number), ["a", "1"]] as const));
      new TestSource({ stream: "refunds" }, ledger).many(1);
      b!.state = "settling";
      ledger.lose("orders", [c!.id], lost);
      expect(ledger.inFlight("orders")).toEqual(["10-0", "9-0", "2-0"]);
      expect([...ledger.open("orders")]).toEqual(["10-0", "2-0"]);
      expect(ledger.inFlight("refunds")).toEqual(["1-0"]);
      expect(ledger.inFlight("nowhere")).toEqual([]);
    });

    it("has a lowest id, by number and not by arrival", () => {
      const source = new TestSource();
      source.page([10, 9, 100].map((number) => [idOf(number), ["a", "1"]] as const));
      expect(source.ledger.oldestOf("orders")).toBe("9-0");
      expect(source.ledger.oldestOf("nowhere")).toBeUndefined();
    });
  });

  describe("abandon", () => {
    it("loses all that is open, tells it, and is over", () => {
      const source = new TestSource();
      const [a, b] = source.many(2);
      b!.state = "settling";
      const { signal } = a!;
      const watcher = { lost: vi.fn(), abandoned: vi.fn() };
      source.ledger.watch(watcher);
      source.ledger.abandon(lost);
      expect([a!.state, b!.state, source.ledger.over]).toEqual(["lost", "settling", true]);
      expect(signal.reason).toBe(lost);
      expect(watcher.lost.mock.calls).toEqual([[a]]);
      expect(watcher.abandoned).toHaveBeenCalledTimes(1);
    });
  });

  it("passes on why a sink can't write, and retries with their due time", () => {
    const source = new TestSource();
    const [a, b] = source.many(2);
    const hindrances = record(source.ledger.hindrances);
    const retries = record(source.ledger.retries);
    source.ledger.hindered(lost);
    source.ledger.confirm([{ held: a!, retryInMs: 50 }, { held: b! }]); // prettier-ignore
    source.ledger.confirm([{ held: a!, retryInMs: 50 }]);
    expect(hindrances.values).toEqual([lost]);
    expect(retries.values).toEqual([{ stream: "orders", inMs: 50 }]);
    hindrances.stop();
    retries.stop();
  });

  it("never has more out than its window, nor less than nothing, whatever happens in whatever order", () => {
    type Step = readonly ["read", number, "value" | "error" | "unsubscribe"] | readonly ["confirm" | "lose", number];
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.tuple(fc.constant("read" as const), fc.integer({ min: 1, max: 8 }), fc.constantFrom("value" as const, "error" as const, "unsubscribe" as const)), // prettier-ignore
      fc.tuple(fc.constantFrom("confirm" as const, "lose" as const), fc.nat(30)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 60 }), (window, steps) => {
        const source = new TestSource({ window });
        const { ledger } = source;
        const out = new Set<HeldDelivery<unknown>>();
        let next = 1;
        const check = (reserved: number): void => {
          expect(ledger.unsettled).toBe(out.size);
          expect(ledger.free).toBe(window - out.size - reserved);
          expect(ledger.free).toBeGreaterThanOrEqual(0);
          expect(ledger.unsettled).toBeLessThanOrEqual(window);
          expect(ledger.starved).toBe(out.size >= window);
        };
        for (const [what, amount, end] of steps) {
          const which = [...out][amount % Math.max(1, out.size)];
          if (what === "confirm") {
            if (which !== undefined) ledger.confirm([{ held: which }]);
            if (which !== undefined) out.delete(which);
          } else if (what === "lose") {
            if (which !== undefined) ledger.lose("orders", [which.id], lost);
          } else {
            const count = Math.min(amount, ledger.free);
            const work$ = new Subject<number>();
            const recording = record(ledger.reserving(count, work$));
            check(count);
            if (end === "value") {
              for (const held of source.many(Math.floor(count / 2), next)) out.add(held);
              next += count;
              work$.next(1);
            }
            if (end === "error") work$.error("broken");
            recording.stop();
          }
          check(0);
        }
      }),
    );
  });

  it("does not hold on to a subscriber of its events", () => {
    const ledger = new CreditLedger(1);
    const listening = [record(ledger.returned), record(ledger.retries), record(ledger.hindrances)];
    listening.forEach(({ stop }) => stop());
    ledger.hindered("x");
    expect(listening.map(({ values }) => values.length)).toEqual([0, 0, 0]);
  });

  it("gives credit back in the same moment in which an answer errors late", () => {
    const ledger = new CreditLedger(5);
    timeline({
      0: () => record(ledger.reserving(5, timer(10))),
      9: () => expect(ledger.free).toBe(0),
      11: () => expect(ledger.free).toBe(5),
    });
    record(
      ledger.reserving(
        5,
        throwError(() => "broken"),
      ),
    );
    expect(ledger.free).toBe(5);
  });
});

describe("entries that were added again for one group", () => {
  it("are handed to that group without their mark, and to nobody else", () => {
    const strangers: unknown[] = [];
    const ledger = new CreditLedger(10);
    ledger.strangers.subscribe((each) => strangers.push(each));
    const source = new TestSource({}, ledger);
    const marked = (group: string): string[] => [redrivenField, group, "n", "1"];
    const page = source.page([
      [toEntryId("1-0"), ["n", "0"]],
      [toEntryId("2-0"), marked("shipping")],
      [toEntryId("3-0"), marked("billing")],
    ]);
    expect(page.map(({ id, pairs }) => [id, pairs])).toEqual([
      ["1-0", ["n", "0"]],
      ["2-0", ["n", "1"]],
    ]);
    expect(strangers).toEqual([{ stream: "orders", ids: ["3-0"] }]);
    expect(ledger.unsettled).toBe(2);
  });
});

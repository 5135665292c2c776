import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPlan, type ReadSituation } from "../../src/model/read-plan.js";

const situation: ReadSituation = { streams: ["a"], full: [], turn: 1, credit: 100, nextChoreInMs: Infinity, blockMs: 2_000 };

describe("readPlan", () => {
  it("asks one stream for all credit", () => {
    expect(readPlan(situation)).toEqual({ streams: ["a"], count: 100, blockMs: 2_000, choresWait: false });
  });

  it("divides the credit among the streams, rounded down", () => {
    expect(readPlan({ ...situation, streams: ["a", "b", "c"], credit: 11 })).toMatchObject({ streams: ["a", "b", "c"], count: 3 });
  });

  it("asks for 1000 at most", () => expect(readPlan({ ...situation, credit: 50_000 }).count).toBe(1_000));

  it("takes turns, and does not block, with less credit than streams", () => {
    const turns = [1, 2, 3, 4].map((turn) => readPlan({ ...situation, streams: ["a", "b", "c"], credit: 2, turn }));
    expect(turns.map(({ streams }) => streams.join(""))).toEqual(["ca", "bc", "ab", "ca"]);
    for (const { count, blockMs } of turns) expect({ count, blockMs }).toEqual({ count: 1, blockMs: undefined });
  });

  it("blocks until just before the next chore", () => {
    expect(readPlan({ ...situation, nextChoreInMs: 150.7 }).blockMs).toBe(149);
    expect(readPlan({ ...situation, nextChoreInMs: 1 }).blockMs).toBe(1);
    expect(readPlan({ ...situation, nextChoreInMs: 0.4 }).blockMs).toBe(1);
  });

  it("does not block when a chore waits already", () => {
    expect(readPlan({ ...situation, nextChoreInMs: 0 })).toMatchObject({ blockMs: undefined, choresWait: true });
  });

  it("never exceeds the credit, never blocks on 0, and names each stream once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat(1_000),
        fc.integer({ min: 1, max: 5_000 }),
        fc.oneof(fc.double({ min: 0, max: 5_000, noNaN: true }), fc.constant(Infinity)),
        fc.integer({ min: 1, max: 60_000 }),
        fc.nat(2 ** 20 - 1),
        (all, turn, credit, nextChoreInMs, blockMs, fullBits) => {
          const streams = Array.from({ length: all }, (_, index) => `s${index}`);
          const plan = readPlan({
            streams,
            full: streams.filter((_, index) => fullBits & (1 << index)),
            turn,
            credit,
            nextChoreInMs,
            blockMs,
          });
          expect(plan.streams.length).toBeGreaterThan(0);
          expect(new Set(plan.streams).size).toBe(plan.streams.length);
          expect(plan.count).toBeGreaterThanOrEqual(1);
          expect(plan.count * plan.streams.length).toBeLessThanOrEqual(credit);
          if (plan.blockMs !== undefined) {
            expect(Number.isInteger(plan.blockMs) && plan.blockMs >= 1 && plan.blockMs <= blockMs).toBe(true);
          }
        },
      ),
    );
  });

  it("reads every stream within as many turns as there are streams", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 11 }), fc.nat(1_000), (all, credit, first) => {
        fc.pre(credit < all);
        const streams = Array.from({ length: all }, (_, index) => `s${index}`);
        const turns = Array.from({ length: all }, (_, index) => readPlan({ ...situation, streams, credit, turn: first + index }));
        expect(new Set(turns.flatMap((plan) => plan.streams))).toEqual(new Set(streams));
      }),
    );
  });
});

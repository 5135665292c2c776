import fc from "fast-check";
import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import { heldBy } from "../../src/model/held-delivery.js";
import type { IdleRequest } from "../../src/redis/port.js";
import { Feed, GroupRun, sized } from "../support/group-run.js";
import { idOf } from "../support/deliveries.js";

const kb = 1_000;
const limit = 100 * kb;
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** The bytes that are handed out and not settled. */
const unsettled = (run: GroupRun): number =>
  run.deliveries.map(heldBy).reduce((sum, { size, state }) => sum + (state === "settled" ? 0 : size), 0);

const numberOf = (id: string): number => Number(id.slice(0, -2));

describe("a source with maxInFlightBytes", () => {
  it("asks for a few at first, then for as many as fit, and reads on when bytes come back", () => {
    const feed = new Feed();
    feed.add(range(1, 60).map((n) => sized(n, 10 * kb)));
    const run = new GroupRun({ read: feed.read }, { maxInFlightBytes: limit });
    run.play(1_000, {
      0: () => {
        expect(run.port.reads.map(({ count }) => count)).toEqual([16]); // nothing was known of their size
        expect(unsettled(run)).toBe(160 * kb);
      },
      500: () => run.settle(range(1, 6)),
      510: () => expect(run.port.reads).toHaveLength(1), // 100 kB are unsettled yet
      600: () => run.settle([7, 8, 9]),
      610: () => {
        expect(run.port.reads.map(({ count }) => count)).toEqual([16, 3]);
        expect(unsettled(run)).toBe(limit);
      },
    });
    expect(run.status("starved")[0]).toMatchObject({ at: 100, unsettled: 16, unsettledBytes: 160 * kb });
    expect(run.status("reading").length).toBe(2);
  });

  it("fills the window with small entries", () => {
    const feed = new Feed();
    feed.add(range(1, 2_000).map((n) => sized(n, 50)));
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 1_000, maxInFlightBytes: limit });
    run.play(100);
    expect(run.deliveries).toHaveLength(1_000);
    expect(Math.max(...run.port.reads.map(({ count }) => count))).toBeLessThanOrEqual(128);
  });

  it("hands out alone what is larger than the limit, and goes on after it", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlightBytes: limit });
    run.play(400, {
      0: () => feed.add([sized(1, 500 * kb)]),
      1: () => feed.add([sized(2, 500 * kb), sized(3, 10), sized(4, 500 * kb)]),
      100: () => {
        expect(run.ids).toEqual([idOf(1)]);
        run.settle([1]);
      },
      200: () => {
        expect(run.ids).toEqual([idOf(1), idOf(2)]);
        run.settle([2]);
      },
      300: () => run.settle([3]),
    });
    expect(run.ids).toEqual(range(1, 4).map(idOf));
  });

  it("asks for what is pending within the same bounds", () => {
    const asked: number[] = [];
    const run = new GroupRun(
      {
        takeIdle: (_ref, { max }: IdleRequest) => (asked.push(max), of({ entries: [], deleted: [], cursor: undefined, mine: [] })),
        takeDue: (_ref, max) => (asked.push(max), of({ entries: [], deleted: [], nextDueMs: undefined })),
      },
      { maxInFlightBytes: limit },
    );
    run.play(500);
    expect(asked.length).toBeGreaterThan(1);
    expect(Math.max(...asked)).toBe(16);
  });

  it("takes no retries that are due while bytes are used up", () => {
    const feed = new Feed();
    const asked: number[] = [];
    const run = new GroupRun(
      { read: feed.read, takeDue: (_ref, max) => (asked.push(max), of({ entries: [], deleted: [], nextDueMs: 10 })) },
      { maxInFlightBytes: limit },
    );
    run.play(1_000, {
      50: () => feed.add([sized(1, 60 * kb), sized(2, 60 * kb)]),
      500: () => asked.splice(0),
      999: () => expect(asked.filter((max) => max > 0)).toEqual([]),
    });
    expect(run.ids).toHaveLength(2);
  });

  it("counts no bytes unless asked to", () => {
    const feed = new Feed();
    feed.add(range(1, 1_500).map((n) => sized(n, kb)));
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 1_000 });
    run.play(200);
    expect(run.port.reads.map(({ count }) => count)).toEqual([950, 50]);
    expect(run.status("starved")[0]!.unsettledBytes).toBeUndefined();
  });

  it("never exceeds the limit but by what one read was misjudged, and hands out everything once", () => {
    const ofOneSize = fc.tuple(fc.constantFrom(2, 100, 5 * kb, 40 * kb, 300 * kb), fc.integer({ min: 1, max: 150 }));
    fc.assert(
      fc.property(fc.array(ofOneSize, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 200 }), (stretches, maxInFlight) => {
        const sizes = stretches.flatMap(([size, count]) => Array.from({ length: count }, () => size));
        const feed = new Feed();
        feed.add(sizes.map((size, index) => sized(index + 1, size)));
        const run = new GroupRun({ read: feed.read }, { maxInFlightBytes: limit, maxInFlight });
        const open = (): number[] => run.deliveries.filter((each) => heldBy(each).state !== "settled").map(({ id }) => numberOf(id));
        let most = 0;
        const settleHalf = (): void => {
          most = Math.max(most, unsettled(run));
          run.settle(open().filter((_, index, { length }) => index < length / 2));
        };
        run.play(10_000, Object.fromEntries(range(1, 500).map((n) => [n * 10, settleHalf])));
        const largest = Math.max(...sizes);
        expect(most).toBeLessThan(limit + 128 * largest);
        if (sizes.every((size) => size <= Math.min(sizes[0]!, limit / 16))) expect(most).toBeLessThanOrEqual(limit);
        expect(run.ids.slice(0, sizes.length)).toEqual(sizes.map((_, index) => idOf(index + 1)).slice(0, run.ids.length));
        expect(new Set(run.ids).size).toBe(run.ids.length);
        expect(run.ids.length === sizes.length || run.ids.length > 200).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

import fc from "fast-check";
import * as O from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import { verdict, type Verdict, type WatchPoint } from "../../src/model/verdict.js";
import { idOf } from "../support/deliveries.js";

/** A point by what differs from a group at rest with a consumer that has just read. */
interface Change {
  readonly lag?: number | "unknown";
  readonly position?: number;
  readonly pending?: number;
  readonly oldest?: number;
  readonly waiting?: number;
  readonly nextRetryInMs?: number;
  readonly idleMs?: readonly number[];
  readonly presence?: WatchPoint["presence"];
  readonly length?: number;
}

const point = (index: number, change: Change): WatchPoint => {
  const { lag = 0, position = 5, pending = 0, waiting = 0, nextRetryInMs, idleMs = [10], presence = "group", length = 10 } = change;
  const { oldest = pending === 0 ? undefined : 1 } = change;
  return {
    at: 1_000 * index,
    presence,
    length,
    lag: lag === "unknown" || presence !== "group" ? O.none : O.some(lag),
    lastDeliveredId: presence === "group" ? O.some(idOf(position)) : O.none,
    pending,
    oldestPendingId: oldest === undefined ? O.none : O.some(idOf(oldest)),
    retriesWaiting: waiting,
    nextRetryInMs: O.fromNullable(nextRetryInMs),
    consumers: idleMs.map((ms) => ({ idleMs: ms })),
  };
};

const over = (...changes: readonly Change[]): Verdict =>
  verdict(
    changes.map((change, index) => point(index, change)),
    3,
  );
const thrice = (change: Change): Verdict => over(change, change, change);

describe("verdict", () => {
  it.each<readonly [Verdict, string, readonly Change[]]>([
    ["ok", "nothing is unread and nothing is pending", [{}, {}, {}]],
    ["ok", "it moves", [{ lag: 5, position: 1 }, { lag: 5, position: 2 }, { lag: 5, position: 3 }]],
    ["ok", "it catches up", [{ lag: 9, position: 1 }, { lag: 10, position: 2 }, { lag: 8, position: 3 }]],
    ["ok", "its lag grew and shrank", [{ lag: 1, position: 1 }, { lag: 9, position: 2 }, { lag: 8, position: 3 }]],
    ["ok", "pending entries are acknowledged", [{ pending: 3, lag: 2 }, { pending: 2, lag: 2 }, { pending: 1, lag: 2 }]],
    ["ok", "pending entries are others, of the same number", [{ pending: 2 }, { pending: 2 }, { pending: 2, oldest: 4 }]],
    ["ok", "pending entries wait for a retry", [{ pending: 2, waiting: 2, nextRetryInMs: 5 }, { pending: 2, waiting: 2, nextRetryInMs: 5 }, { pending: 2, waiting: 2, nextRetryInMs: 5 }]],
    ["ok", "it had nothing to do a while ago", [{}, { lag: 5 }, { lag: 5 }]],
    ["ok", "a burst has come since it had read all", [{ position: 1 }, { lag: 5, position: 2 }, { lag: 9, position: 3 }]],
    ["ok", "the lag is not known and it moves", [{ lag: "unknown", position: 1 }, { lag: "unknown", position: 2 }, { lag: "unknown", position: 3 }]],
    ["warning", "the lag grows although it moves", [{ lag: 5, position: 1 }, { lag: 6, position: 2 }, { lag: 7, position: 3 }]],
    ["warning", "the lag stood and grew", [{ lag: 5, position: 1 }, { lag: 5, position: 2 }, { lag: 7, position: 3 }]],
    ["warning", "the lag grows while only acknowledgements move", [{ lag: 5, pending: 3 }, { lag: 6, pending: 2 }, { lag: 7, pending: 1 }]],
    ["stopped", "nobody has read for the whole window", [{ lag: 5, idleMs: [1_000] }, { lag: 5, idleMs: [2_000] }, { lag: 5, idleMs: [3_000] }]],
    ["stopped", "the lag grows and nobody reads", [{ lag: 5, idleMs: [] }, { lag: 6, idleMs: [] }, { lag: 7, idleMs: [] }]],
    ["stopped", "the last consumer is idle for just the window", [{ lag: 5 }, { lag: 5 }, { lag: 5, idleMs: [2_000] }]],
    ["stalled", "one of the consumers reads, and nothing moves", [{ lag: 5 }, { lag: 5 }, { lag: 5, idleMs: [9_000, 1_999] }]],
    ["rewound", "the position went back within the window", [{ position: 7 }, { position: 5 }, { position: 6 }]],
    ["rewound", "it was made again at the beginning", [{ position: 7 }, { presence: "noGroup" }, { position: 0 }]],
  ])("is %s when %s", (expected, _, changes) => expect(over(...changes)).toBe(expected)); // prettier-ignore

  it.each<readonly [Verdict, Change]>([
    ["stopped", { lag: 5, idleMs: [] }],
    ["stopped", { lag: "unknown", idleMs: [] }],
    ["stalled", { lag: 5 }],
    ["stalled", { lag: "unknown" }],
    ["stalled", { pending: 2 }],
    ["stalled", { pending: 2, idleMs: [] }],
    ["stalled", { pending: 3, waiting: 2, nextRetryInMs: 500 }],
    ["stalled", { pending: 2, waiting: 2, nextRetryInMs: -500 }],
    ["ok", { pending: 2, waiting: 2, nextRetryInMs: 0 }],
    ["ok", { idleMs: [] }],
    ["ok", { presence: "noStream", length: 0 }],
    ["ok", { presence: "noGroup", length: 0 }],
    ["stopped", { presence: "noGroup", length: 3 }],
  ])("is %s when three times it is %j", (expected, change) => expect(thrice(change)).toBe(expected));

  it("says little before the window is full", () => {
    expect(verdict([], 3)).toBe("ok");
    expect(over({ lag: 5, idleMs: [] }, { lag: 6, idleMs: [] })).toBe("ok");
    expect(over({ position: 7 }, { position: 6 })).toBe("rewound");
    expect(over({ presence: "noGroup", length: 3 })).toBe("stopped");
  });

  it("begins anew for a group that was missing", () => {
    expect(over({ presence: "noGroup" }, { lag: 5, idleMs: [] }, { lag: 5, idleMs: [] })).toBe("ok");
  });

  const anyChange = fc.record({
    lag: fc.oneof(fc.nat(5), fc.constant("unknown" as const)),
    position: fc.nat(5),
    pending: fc.nat(3),
    waiting: fc.nat(3),
    idleMs: fc.array(fc.nat(10_000), { maxLength: 2 }),
    presence: fc.constantFrom("group" as const, "group" as const, "group" as const, "noGroup" as const, "noStream" as const),
  });
  const anyWindow = fc.array(anyChange, { maxLength: 6 }).map((changes) => changes.map((change, index) => point(index, change)));

  it("is one of its words for every window", () => {
    fc.assert(
      fc.property(anyWindow, fc.integer({ min: 2, max: 6 }), (window, size) => {
        expect(["ok", "warning", "stalled", "stopped", "rewound"]).toContain(verdict(window, size));
      }),
    );
  });

  it("is ok at every moment without lag and pending entries, unless rewound or missing", () => {
    const idle = anyWindow.map((window) => window.map((each) => ({ ...each, presence: "group" as const, lag: O.some(0), pending: 0 })));
    fc.assert(
      fc.property(idle, (window) => {
        expect(["ok", "rewound"]).toContain(verdict(window, Math.max(2, window.length)));
      }),
    );
  });

  it("never calls a group that moved on stalled or stopped", () => {
    const moving = anyWindow.map((window) =>
      window.map((each, index) => ({ ...each, presence: "group" as const, lastDeliveredId: O.some(idOf(index)) })),
    );
    fc.assert(
      fc.property(moving, (window) => {
        expect(["ok", "warning"]).toContain(verdict(window, Math.max(2, window.length)));
      }),
    );
  });
});

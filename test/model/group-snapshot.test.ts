import * as O from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import type { GroupFacts } from "../../src/model/group-facts.js";
import { observe, pendingRows, type GroupSnapshot } from "../../src/model/group-snapshot.js";
import { toPendingEntry } from "../../src/model/pending.js";
import { idOf } from "../support/deliveries.js";

const ref = { stream: "orders", group: "shipping" };
const facts: GroupFacts = {
  at: 10_000,
  stream: { length: 8, entriesAdded: 8, ends: { first: idOf(1), last: idOf(8) }, entryBytes: 10 },
  group: { name: "shipping", consumers: 1, pending: 3, lastDeliveredId: idOf(5), entriesRead: O.some(5), lag: O.some(3) },
  details: {
    consumers: [{ name: "me", pending: 3, idleMs: 7, inactiveMs: O.none }],
    pending: [toPendingEntry(idOf(3_000), "me", 70, 1), toPendingEntry(idOf(3_001), "me", 80, 4), toPendingEntry(idOf(3_002), "me", 0, 1)],
    retriesWaiting: 1,
    nextRetryAt: 9_500,
    deadLetters: 2,
  },
  unread: { count: 0, isComplete: false },
};
const empty: GroupFacts["details"] = { consumers: [], pending: [], retriesWaiting: 4, nextRetryAt: undefined, deadLetters: 2 };
const see = (more: Partial<GroupFacts>, before: readonly GroupSnapshot[] = []): GroupSnapshot =>
  observe(before, ref, { ...facts, ...more }, 3).newest;

describe("a snapshot", () => {
  it("has all that was found", () => {
    expect(see({})).toEqual({
      stream: "orders",
      group: "shipping",
      at: 10_000,
      presence: "group",
      length: 8,
      lag: O.some(3),
      lagSource: "redis",
      entriesAdded: O.some(8),
      entriesRead: O.some(5),
      lastDeliveredId: O.some(idOf(5)),
      pending: 3,
      oldestPendingId: O.some(idOf(3_000)),
      oldestPendingAgeMs: O.some(7_000),
      oldestPendingIdleMs: O.some(70),
      retriesWaiting: 1,
      nextRetryInMs: O.some(-500),
      deadLetters: 2,
      consumers: facts.details.consumers,
      rates: { addedPerSecond: O.none, deliveredPerSecond: O.none, settledPerSecond: O.none },
      deliveries: { byCount: new Map([[1, 2], [4, 1]]), isComplete: true }, // prettier-ignore
      verdict: "ok",
    });
  });

  it("says that the group is missing, and what outlives it", () => {
    expect(see({ group: undefined, details: empty })).toMatchObject({
      presence: "noGroup",
      length: 8,
      lag: O.none,
      lagSource: "unknown",
      lastDeliveredId: O.none,
      pending: 0,
      oldestPendingId: O.none,
      oldestPendingAgeMs: O.none,
      oldestPendingIdleMs: O.none,
      retriesWaiting: 4,
      nextRetryInMs: O.none,
      deadLetters: 2,
      verdict: "stopped",
    });
  });

  it("says that the stream is missing", () => {
    const gone = see({ stream: undefined, group: undefined, details: empty });
    expect(gone).toMatchObject({ presence: "noStream", length: 0, lag: O.none, entriesAdded: O.none, verdict: "ok" });
  });

  it("has no age below 0, and no idle time of an entry that nobody owns", () => {
    const pending = [toPendingEntry(idOf(99_999), "", -1, 1)];
    const seen = see({ details: { ...empty, pending } });
    expect([seen.oldestPendingAgeMs, seen.oldestPendingIdleMs]).toEqual([O.some(0), O.none]);
  });

  it("says when it saw the oldest pending entries alone", () => {
    const rows = (count: number): GroupFacts["details"] => ({
      ...empty,
      pending: Array.from({ length: count }, (_, index) => toPendingEntry(idOf(index), "me", 1, 1)),
    });
    const pending = { ...facts.group!, pending: pendingRows };
    expect(see({ group: pending, details: rows(pendingRows) }).deliveries.isComplete).toBe(true);
    expect(see({ group: { ...pending, pending: pendingRows + 1 }, details: rows(pendingRows) }).deliveries.isComplete).toBe(false);
  });

  it("has rates since the one before, and a verdict on the window, which keeps its size", () => {
    let window: readonly GroupSnapshot[] = [];
    for (const at of [10_000, 11_000, 12_000, 13_000]) window = observe(window, ref, { ...facts, at }, 3).window;
    expect(window.map((each) => [each.at, each.verdict])).toEqual([
      [11_000, "ok"],
      [12_000, "stalled"],
      [13_000, "stalled"],
    ]);
    expect(window[2]!.rates).toEqual({ addedPerSecond: O.some(0), deliveredPerSecond: O.some(0), settledPerSecond: O.some(0) });
  });
});

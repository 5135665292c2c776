import fc from "fast-check";
import { none, some } from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import { healthOf, hear, isSameVerdict, type Health, type HealthBounds, type Roll } from "../../src/model/health.js";
import type { SourceProgress, SourceState } from "../../src/model/progress.js";

const bounds: HealthBounds = { lateAfterMs: 1_000, silentAfterMs: 5_000, stalledAfterMs: undefined };

const progress = (more: Partial<SourceProgress> = {}): SourceProgress => ({
  source: "orders/shipping/me",
  streams: ["orders"],
  group: "shipping",
  consumer: "me",
  state: "reading",
  readAgeMs: 100,
  waitingMs: 100,
  blockMs: 2_000,
  settlementAgeMs: undefined,
  unsettled: 0,
  oldestMs: undefined,
  overtakenMs: 0,
  stalledAfterMs: 4_000,
  ...more,
});

/** The health after these were heard at 0, at a later time. */
const after = (agoMs: number, ...heard: readonly Partial<SourceProgress>[]): Health => {
  const roll = heard.reduce<Roll>((all, each) => hear(all, progress(each), 0), new Map());
  return healthOf(roll, agoMs, bounds);
};
const tags = ({ reasons }: Health): string[] => reasons.map(({ _tag }) => _tag);

describe("the health of a source", () => {
  it("is live and ready while it reads, however long nothing came", () => {
    const idle = after(900, { settlementAgeMs: 86_400_000 });
    expect(idle).toMatchObject({ live: true, ready: true, reasons: [], readAgeMs: some(1_000), settlementAgeMs: some(86_400_900) });
  });

  it.each<readonly [SourceState, boolean, string]>([
    ["starting", true, "starting"],
    ["reconnecting", true, "reconnecting"],
    ["draining", true, "draining"],
    ["drained", true, "stopped"],
    ["unsubscribed", true, "stopped"],
    ["failed", false, "stopped"],
  ])("is not ready while it is %s; live: %s", (state, live, tag) => {
    const health = after(0, { state });
    expect(health).toMatchObject({ live, ready: false });
    expect(tags(health)).toEqual([tag]);
  });

  it("says why it reconnects", () => {
    expect(after(0, { state: "reconnecting", cause: "gone" }).reasons).toEqual([
      { _tag: "reconnecting", source: "orders/shipping/me", cause: "gone" },
    ]);
  });

  it("is live and ready while it is starved and settlements go on", () => {
    const busy = { state: "starved", waitingMs: undefined, unsettled: 1_000, oldestMs: 3_999, settlementAgeMs: 5 } as const;
    expect(after(0, busy)).toMatchObject({ live: true, ready: true, unsettled: 1_000 });
  });

  it("may have a backlog older than any bound, as long as it is worked off in order", () => {
    expect(after(0, { unsettled: 1_000, oldestMs: 600_000, settlementAgeMs: 3_000 })).toMatchObject({ live: true, ready: true });
  });

  it("is not live when a read is unanswered beyond its BLOCK for too long, and not before", () => {
    expect(after(0, { waitingMs: 3_000 })).toMatchObject({ live: true, ready: true });
    expect(after(0, { waitingMs: 3_001 })).toMatchObject({ live: false, ready: false, reasons: [{ _tag: "late", waitingMs: 3_001 }] });
  });

  it("is not live when it never got an answer in that time, either", () => {
    expect(tags(after(0, { state: "starting", readAgeMs: undefined, waitingMs: 3_001 }))).toEqual(["starting", "late"]);
    expect(after(0, { state: "starting", readAgeMs: undefined }).readAgeMs).toEqual(none);
  });

  it("is not live when nothing was settled for too long while something waits for it", () => {
    const hung = { unsettled: 2, oldestMs: 4_001, settlementAgeMs: 90_000 };
    expect(after(0, { ...hung, oldestMs: 4_000 }).live).toBe(true);
    expect(after(0, hung)).toMatchObject({ live: false, ready: false, reasons: [{ _tag: "stalled", unsettled: 2, oldestMs: 4_001 }] });
    expect(tags(after(0, { ...hung, settlementAgeMs: undefined }))).toEqual(["stalled"]);
  });

  it("is not live when a delivery is left behind although others are settled", () => {
    expect(tags(after(0, { unsettled: 1, oldestMs: 4_100, settlementAgeMs: 0, overtakenMs: 4_001 }))).toEqual(["stalled"]);
  });

  it("goes by a bound of one's own instead of the source's", () => {
    const roll = hear(new Map(), progress({ unsettled: 1, oldestMs: 4_001 }), 0);
    expect(healthOf(roll, 0, { ...bounds, stalledAfterMs: 10_000 }).live).toBe(true);
  });

  it("is not suspected for the time between two signs of life", () => {
    const busy = { unsettled: 1, oldestMs: 3_900, settlementAgeMs: 3_900, waitingMs: 2_900 };
    expect(after(999, busy)).toMatchObject({ live: true, ready: true });
  });

  it("is not live when nothing is heard of it any more, unless it has said that it is over", () => {
    expect(after(5_000, { waitingMs: undefined }).live).toBe(true);
    expect(after(5_001, { waitingMs: undefined })).toMatchObject({
      live: false,
      ready: false,
      reasons: [{ _tag: "silent", silentMs: 5_001 }],
    });
    expect(tags(after(5_001, { state: "drained" }))).toEqual(["stopped"]);
  });
});

describe("the health of several sources", () => {
  const other = { source: "refunds/shipping/me", streams: ["refunds"] };

  it("is not ready before anything was heard, and live", () => {
    expect(after(0)).toEqual({
      live: true, ready: false, reasons: [{ _tag: "noSource" }], readAgeMs: none, settlementAgeMs: none, unsettled: 0, sources: [],
    }); // prettier-ignore
  });

  it("is as bad as the worst, and says which that is", () => {
    const health = after(0, { unsettled: 3 }, { ...other, unsettled: 1, oldestMs: 9_000, readAgeMs: 500 });
    expect(health).toMatchObject({ live: false, ready: false, unsettled: 4, readAgeMs: some(500) });
    expect(health.reasons).toMatchObject([{ _tag: "stalled", source: other.source }]);
    expect(health.sources.map(({ source, live }) => [source, live])).toEqual([
      ["orders/shipping/me", true],
      [other.source, false],
    ]);
  });

  it("does not count one that was to end, unless no other is left", () => {
    expect(after(0, {}, { ...other, state: "unsubscribed" })).toMatchObject({ live: true, ready: true });
    expect(after(0, { state: "drained" }, {})).toMatchObject({ ready: true });
    expect(tags(after(0, { state: "drained" }, { ...other, state: "drained" }))).toEqual(["stopped"]);
  });

  it("counts one that failed until another takes its place", () => {
    expect(after(0, { state: "failed" }, other).live).toBe(false);
    expect(after(0, { state: "failed" }, { source: "orders/shipping/you", consumer: "you" })).toMatchObject({ live: true, ready: true });
    expect(after(0, { state: "failed" }, { source: "orders/billing/me", group: "billing" }).live).toBe(false);
  });

  it("remembers no more than there is, whatever comes and goes", () => {
    const states = fc.constantFrom<SourceState>("reading", "drained", "unsubscribed", "starved");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), states)), (said) => {
        let roll: ReturnType<typeof hear> = new Map();
        for (const [name, state] of said) roll = hear(roll, progress({ source: String(name), state }), 0);
        const working = [...roll.values()].filter(({ progress: { state } }) => state === "reading" || state === "starved");
        expect(healthOf(roll, 0, bounds).ready).toBe(working.length > 0);
      }),
    );
  });
});

describe("a verdict", () => {
  it("is the same whatever the ages are", () => {
    expect(isSameVerdict(after(0, { waitingMs: 9_000 }), after(99, { waitingMs: 9_900 }))).toBe(true);
  });

  it("is another with other reasons", () => {
    expect(isSameVerdict(after(0, { state: "draining" }), after(0, { state: "starting" }))).toBe(false);
  });
});

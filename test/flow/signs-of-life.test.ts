import { NEVER, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Outage } from "../../src/redis/port.js";
import { Feed, GroupRun, inTurn } from "../support/group-run.js";

describe("the signs of life of a source", () => {
  it("come once a second, and when the first read is answered", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { blockMs: 400 }).play(3_100);
    expect(run.progress.map(({ at, state }) => [at, state])).toEqual([
      [400, "reading"],
      [1_000, "reading"],
      [2_000, "reading"],
      [3_000, "reading"],
      [3_100, "unsubscribed"],
    ]);
    const { readAgeMs } = run.progress[1]!;
    expect(readAgeMs).toBeLessThanOrEqual(400);
    expect(run.progress[1]).toEqual({
      _tag: "progress", source: "orders/shipping/me", streams: ["orders"], group: "shipping", consumer: "me", state: "reading",
      readAgeMs, waitingMs: readAgeMs, blockMs: 400, settlementAgeMs: undefined, unsettled: 0, oldestMs: undefined, overtakenMs: 0,
      stalledAfterMs: 60_000, at: 1_000,
    }); // prettier-ignore
  });

  it("take an empty answer for an answer, and no answer for none", () => {
    const run = new GroupRun({ read: () => NEVER }, { blockMs: 60_000 }).play(2_500);
    expect(run.progress.slice(0, 2)).toMatchObject([
      { state: "starting", readAgeMs: undefined, waitingMs: 1_000 },
      { state: "starting", readAgeMs: undefined, waitingMs: 2_000 },
    ]);
  });

  it("say at once that reading fails, why, and that it works again when a read is answered", () => {
    const fail = () => throwError(() => new Error("ECONNRESET"));
    const feed = new Feed();
    const read = inTurn<ReturnType<Feed["read"]>>(() => of([]), fail, fail, () => feed.read({ blockMs: 1_000 } as never)); // prettier-ignore
    const run = new GroupRun({ read }).play(2_950);
    const states = run.progress.map(({ state }) => state);
    expect(states.slice(0, 2)).toEqual(["reading", "reconnecting"]);
    expect(run.progress[1]).toMatchObject({ cause: new Error("ECONNRESET") });
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual(["reading", "reconnecting", "reading", "unsubscribed"]);
    const back = run.progress.find(({ state, at }) => state === "reading" && at > 100);
    expect(back).not.toHaveProperty("cause");
  });

  it("wait for an answer from the first failure on, however often it is tried", () => {
    const run = new GroupRun({ read: () => throwError(() => new Error("no")) }).play(20_500);
    const seconds = run.progress.filter(({ state }) => state === "reconnecting").slice(1);
    expect(seconds).toHaveLength(20);
    expect(seconds.every(({ waitingMs, at }) => waitingMs === at)).toBe(true);
  });

  it("wait while the commands between reads are not answered", () => {
    const run = new GroupRun({ read: new Feed().read, takeIdle: () => NEVER }).play(1_500);
    expect(run.progress[0]).toMatchObject({ state: "starting", waitingMs: 1_000 });
  });

  it("say that the connection for commands is lost, until a read is answered", () => {
    const broken = new Subject<Outage>();
    const run = new GroupRun({ read: new Feed().read, broken }, { blockMs: 500 }).play(2_050, {
      1_100: () => broken.next({ attempt: 1, delayMs: 50, cause: "gone" }),
    });
    expect(run.progress.find(({ at }) => at === 1_100)).toMatchObject({ state: "reconnecting", cause: "gone" });
    expect(run.progress.find(({ at }) => at === 2_000)).toMatchObject({ state: "reading" });
  });

  it("wait for nothing while starved, and know the oldest and what overtook it", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read }, { maxInFlight: 2 });
    run.play(3_050, {
      10: () => feed.push(1, 2),
      1_500: () => {
        run.settle([2]);
        feed.push(3);
      },
      1_600: () => run.settle([3]),
      1_700: () => feed.push(4),
    });
    const at = (ms: number) => run.progress.find((each) => each.at === ms);
    expect(at(1_000)).toMatchObject({ state: "starved", waitingMs: undefined, unsettled: 2, oldestMs: 990, overtakenMs: 0 });
    expect(at(3_000)).toMatchObject({ state: "starved", waitingMs: undefined, unsettled: 2, oldestMs: 2_990, settlementAgeMs: 1_400 });
    expect(at(3_000)!.overtakenMs).toBeGreaterThanOrEqual(1_490);
  });

  it("go on in a drain, and end with how it ended", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read });
    run.play(5_000, {
      10: () => feed.push(1),
      500: () => run.drain.abort(),
      2_600: () => run.settle([1]),
    });
    expect(run.progress.map(({ state }) => state)).toEqual(["reading", "draining", "draining", "draining", "drained"]);
  });

  it("say that it failed", () => {
    const run = new GroupRun({ read: () => throwError(() => new Error("WRONGTYPE no stream")) }).play(100);
    expect(run.progress.map(({ state }) => state)).toEqual(["failed"]);
  });

  it("do not take a delivery that was lost for a settlement", () => {
    const feed = new Feed();
    const run = new GroupRun({ read: feed.read, renew: (_, ids) => of({ lost: ids, deleted: [], absent: [] }) }, { leaseMs: 900 });
    run.play(1_500, { 10: () => feed.push(1) });
    expect(run.progress.at(-1)).toMatchObject({ settlementAgeMs: undefined });
  });
});

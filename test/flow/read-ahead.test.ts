import fc from "fast-check";
import { of, Subject, tap } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { IdlePage, IdleRequest, Outage } from "../../src/redis/port.js";
import type { Answers } from "../support/fake-port.js";
import { GroupRun } from "../support/group-run.js";
import { idOf } from "../support/deliveries.js";
import { Wire } from "../support/wire.js";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const inOrder = (count: number): string[] => upTo(count).map(idOf);

/** A consumer that settles every `everyMs` all it has. */
function settling(run: () => GroupRun, everyMs: number, untilMs: number): Record<number, () => void> {
  let settled = 0;
  const settleAll = (): void => {
    for (const { id } of run().deliveries.slice(settled)) run().settle([Number.parseInt(id)]);
    settled = run().deliveries.length;
  };
  return Object.fromEntries(upTo(Math.floor(untilMs / everyMs)).map((n) => [n * everyMs, settleAll]));
}

/** What own entries look like to the script: those that a read took and nobody heard of. */
const ownFrom = (wire: Wire, seen: (underWay: number) => void): Pick<Answers, "takeIdle"> => ({
  takeIdle: (_ref, { owner, leaveAlone, max }: IdleRequest) => {
    const none: IdlePage = { entries: [], deleted: [], cursor: undefined, mine: [] };
    if (owner === undefined) return of(none);
    seen(wire.underWay);
    const lost = wire.unheard.filter(([id]) => leaveAlone?.includes(id) !== true).slice(0, max);
    for (const each of lost) wire.unheard.splice(wire.unheard.indexOf(each), 1);
    return of({ ...none, entries: lost.map(([id, pairs]) => [id, pairs ?? [], 1] as const) });
  },
});

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("reads sent ahead", () => {
  it("are on their way while full pages are handed on, and take a quarter of the window each", () => {
    const wire = new Wire(10);
    const run = new GroupRun({ read: wire.read }, { maxInFlight: 400 });
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(900)) });
    expect(run.ids).toEqual(inOrder(900));
    expect(wire.most).toBe(2);
    const { reads } = run.port;
    expect(reads.filter(({ at }) => at > 20 && at < 80).map(({ count }) => count)).toEqual(new Array(7).fill(100));
    expect(reads.filter(({ at }) => at > 20 && at < 36)).toHaveLength(3); // two at once, and then one for each answer
  });

  it("stop when a page is not full: one read blocks, and not two", () => {
    const wire = new Wire(1);
    const run = new GroupRun({ read: wire.read }, { maxInFlight: 400 });
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(650)), 600: () => wire.push(651) });
    expect(run.ids).toEqual(inOrder(651));
    const { length } = run.port.reads.filter(({ at }) => at > 50);
    expect(length).toBeLessThan(4);
    expect(wire.underWay).toBe(0);
  });

  it.each([
    ["a small window", { maxInFlight: 200 }],
    ["a limit in bytes", { maxInFlight: 400, maxInFlightBytes: 1_000_000 }],
  ])("are none with %s", (_, options) => {
    const wire = new Wire(5);
    const run = new GroupRun({ read: wire.read }, options);
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(600)) });
    expect(run.ids).toEqual(inOrder(600));
    expect(wire.most).toBe(1);
  });

  it("never have more out and asked for than the window, and lose and double nothing", () => {
    const step = fc.record({ at: fc.integer({ min: 1, max: 500 }), feed: fc.nat(900), settle: fc.nat(700) });
    const plans = fc.record({
      maxInFlight: fc.integer({ min: 256, max: 900 }),
      latencyMs: fc.nat(12),
      steps: fc.array(step, { maxLength: 25 }),
    });
    fc.assert(
      fc.property(plans, ({ maxInFlight, latencyMs, steps }) => {
        const wire = new Wire(latencyMs);
        let asked = 0;
        let worst = 0;
        let settled = 0;
        let next = 1;
        const read: Answers["read"] = (request) => {
          asked += request.count;
          worst = Math.max(worst, asked + run.deliveries.length - settled);
          return wire.read(request).pipe(tap({ finalize: () => (asked -= request.count) }));
        };
        const run = new GroupRun({ read }, { maxInFlight });
        const play: Record<number, () => void> = {};
        for (const { at, feed, settle } of steps) {
          play[at] = () => {
            wire.push(...upTo(feed).map(() => next++));
            const some = run.ids.slice(settled, settled + settle).map((id) => Number.parseInt(id));
            settled += some.length;
            run.settle(some);
          };
        }
        run.play(900, play);
        expect(worst).toBeLessThanOrEqual(maxInFlight);
        expect(run.ids).toEqual(inOrder(run.ids.length));
        expect(run.deliveries.length - settled).toBeLessThanOrEqual(maxInFlight);
      }),
      { numRuns: 40 },
    );
  });

  it("are waited for before own entries are looked for: what they hold would look abandoned", () => {
    const wire = new Wire(10);
    const broken = new Subject<Outage>();
    const underWay: number[] = [];
    const run = new GroupRun({ read: wire.read, broken, ...ownFrom(wire, (count) => underWay.push(count)) }, { maxInFlight: 400 });
    const lost = (): void => broken.next({ attempt: 1, delayMs: 10, cause: new Error("gone") });
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(1_200)), 40: lost, 71: lost });
    expect(underWay.length).toBeGreaterThan(1);
    expect(new Set(underWay)).toEqual(new Set([0]));
    expect(run.ids).toEqual(inOrder(1_200));
  });

  it("are dropped with a connection that breaks, and what they held is recovered", () => {
    const wire = new Wire(10);
    const breaks: Answers["read"] = (request) => {
      if (run.port.reads.length === 7) wire.refusal = new Error("Connection is closed.");
      return wire.read(request);
    };
    const run = new GroupRun({ read: breaks, ...ownFrom(wire, () => (wire.refusal = undefined)) }, { maxInFlight: 400 });
    run.play(2_900, { ...settling(() => run, 1, 2_800), 5: () => wire.push(...upTo(900)) });
    expect([...run.ids].sort()).toEqual([...inOrder(900)].sort());
    expect(run.status("reconnecting")).toHaveLength(1);
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("that are refused because the group is gone make it once, and are no other outage", () => {
    const wire = new Wire(10);
    const refusal = new Error("NOGROUP No such key 'orders' or consumer group 'shipping' in XREADGROUP with GROUP option");
    const made: number[] = [];
    const run = new GroupRun(
      {
        read: wire.read,
        createGroup: () => {
          made.push(wire.underWay);
          wire.refusal = undefined;
          return of(true);
        },
      },
      { maxInFlight: 400 },
    );
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(900)), 60: () => (wire.refusal = refusal) });
    expect(made).toEqual([0, 0]); // at the start, and when nothing was under way any more
    expect(run.status("reconnecting")).toEqual([]);
    expect(run.ids).toEqual(inOrder(900));
  });

  it.each([60, 65, 66, 67, 70, 75])("end with a drain at %i ms: what came is handed on, and nothing new is asked for", (at) => {
    const wire = new Wire(10);
    const run = new GroupRun({ read: wire.read }, { maxInFlight: 400 });
    run.play(900, { ...settling(() => run, 1, 800), 5: () => wire.push(...upTo(900)), [at]: () => run.drain.abort() });
    expect(run.recording.ended).toBe("complete");
    expect(run.ids).toEqual(inOrder(run.ids.length));
    expect(run.port.reads.filter((read) => read.at > at)).toEqual([]);
    expect(wire.underWay).toBe(0);
    expect(wire.unheard).toEqual([]);
  });
});

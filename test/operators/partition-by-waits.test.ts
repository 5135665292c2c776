import fc from "fast-check";
import { filter, interval, map, race, take, tap, timer, type Subscription } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fixed } from "../../src/model/retry-policy.js";
import { deliveryOf } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { fromGroup } from "../../src/sources/from-group.js";
import { FakePort } from "../support/fake-port.js";
import { numberOf, SimulatedGroup } from "../support/simulated-group.js";
import { timeline } from "../support/virtual-time.js";

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Crashes come before. */
const lastCrashMs = 2_001;

interface World {
  /** The key of each entry. */
  readonly keys: readonly string[];
  /** When each is added, after the one before. */
  readonly gapsMs: readonly number[];
  /** How often each fails before it succeeds. */
  readonly failures: readonly number[];
  readonly tookMs: readonly number[];
  readonly crashesAtMs: readonly number[];
  readonly replyMs: number;
  readonly window: number;
  readonly lanes: number;
  readonly batch: number;
  readonly maxDeliveries: number;
}

interface Outcome {
  readonly group: SimulatedGroup;
  /** Entries whose handler succeeded, or that became dead letters, as it happened: repeats after a crash included. */
  readonly final: readonly number[];
  readonly errors: readonly unknown[];
}

/** Lets a consumer handle the entries, dying and starting again at the given times, until long after the last of them. */
function live(world: World): Outcome {
  const group = new SimulatedGroup(world.replyMs);
  const final: number[] = [];
  const errors: unknown[] = [];
  const failuresOf = [...world.failures];
  let process: Subscription | undefined;
  const start = (): void => {
    const port = new FakePort(group.answers).client;
    process = fromGroup(port, { stream: "orders", group: "g", consumer: "only", startId: "0", maxInFlight: world.window })
      .pipe(
        partitionBy(
          ({ key = "" }) => key,
          { lanes: world.lanes, whileRetrying: "wait" },
          (lane$) =>
            lane$.pipe(
              retryToDLQ(
                ({ n = "" }) => {
                  const index = Number(n) - 1;
                  return timer(world.tookMs[index % world.tookMs.length]!).pipe(
                    map(() => {
                      if ((failuresOf[index]! -= 1) >= 0) throw new Error("busy");
                    }),
                  );
                },
                { maxDeliveries: world.maxDeliveries, backoff: fixed(70), concurrency: 3 },
              ),
              tap((item) => {
                if (item._tag === "Delivery" || item.settlement._tag === "DeadLetter") final.push(numberOf(deliveryOf(item).id));
              }),
            ),
        ),
        bufferAck({ maxSize: world.batch, maxWaitMs: 7 }),
        acknowledge(port),
      )
      .subscribe({ error: (error: unknown) => errors.push(error) });
  };
  const restart = (): void => {
    process?.unsubscribe();
    start();
  };
  timeline({
    0: () => {
      start();
      let at = 0;
      world.keys.forEach((key, index) => {
        const add = (): void => group.add(["n", String(index + 1), "key", key]);
        at += world.gapsMs[index]!;
        if (at === 0) add();
        else timer(at).subscribe(add);
      });
    },
    ...Object.fromEntries(world.crashesAtMs.map((at) => [at, restart])),
    [lastCrashMs]: () => {
      const settled = interval(100).pipe(filter(() => group.isSettled));
      race(settled, timer(600_000)).pipe(take(1)).subscribe(() => process?.unsubscribe()); // prettier-ignore
    },
  });
  return { group, final, errors };
}

/** Per key, nothing is handled to its end before all that came before it; repeats do not count. */
function expectOrder({ keys }: World, final: readonly number[]): void {
  const done = new Set<number>();
  for (const n of final) {
    const missing = keys.flatMap((key, index) => (key === keys[n - 1] && index + 1 < n && !done.has(index + 1) ? [index + 1] : []));
    expect(missing, `before ${n}`).toEqual([]);
    done.add(n);
  }
}

const worlds: fc.Arbitrary<World> = fc
  .record({
    entries: fc.array(
      fc.record({
        key: fc.constantFrom("a", "b", "c"),
        failures: fc.oneof(fc.constant(0), fc.nat({ max: 4 })),
        gapMs: fc.oneof(fc.constant(0), fc.nat({ max: 60 })),
      }),
      {
        minLength: 1,
        maxLength: 40,
      },
    ),
    tookMs: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 }),
    crashesAtMs: fc.uniqueArray(fc.integer({ min: 1, max: lastCrashMs - 1 }), { maxLength: 6 }),
    replyMs: fc.nat({ max: 20 }),
    window: fc.integer({ min: 1, max: 30 }),
    lanes: fc.integer({ min: 1, max: 3 }),
    batch: fc.integer({ min: 1, max: 12 }),
    maxDeliveries: fc.constantFrom(3, 1_000),
  })
  .map(({ entries, ...world }) => ({
    ...world,
    keys: entries.map(({ key }) => key),
    failures: entries.map(({ failures }) => failures),
    gapsMs: entries.map(({ gapMs }) => gapMs),
  }));

/** Entries of a key wait in Redis while one before them is at work; what comes then must not stand in line right behind that one. */
const deferredInBetween: World = {
  keys: ["c", "a", "a", "c", "c", "c"],
  failures: [1, 0, 0, 0, 0, 0],
  gapsMs: [0, 4, 30, 0, 45, 21],
  tookMs: [9],
  crashesAtMs: [88],
  replyMs: 0,
  window: 3,
  lanes: 1,
  batch: 2,
  maxDeliveries: 3,
};

describe("partitionBy that waits", () => {
  it("keeps keys in order across failures, crashes and restarts, and settles everything", { timeout: 400_000 }, () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { group, final, errors } = live(world);
        expect(errors).toEqual([]);
        expectOrder(world, final);
        expect(group.isSettled).toBe(true);
        expect([...group.acked, ...group.dead].sort((a, b) => a - b)).toEqual(world.keys.map((_, index) => index + 1));
      }),
      { numRuns: 200, examples: [[deferredInBetween]] },
    );
  });
});

import fc from "fast-check";
import { filter, interval, map, race, take, tap, timer, type Observable, type Subscription } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Fields } from "../../src/model/fields.js";
import { fixed } from "../../src/model/retry-policy.js";
import { deliveryOf, type Flow } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { tee } from "../../src/operators/tee.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { fromGroup } from "../../src/sources/from-group.js";
import { FakePort } from "../support/fake-port.js";
import { numberOf, SimulatedGroup } from "../support/simulated-group.js";
import { timeline, unlessMiscounted } from "../support/virtual-time.js";

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Crashes come before. */
const lastCrashMs = 2_001;

/** Of each entry: its key, and how often its handler fails before it succeeds. */
interface Part {
  readonly keys: readonly string[];
  readonly failures: readonly number[];
}

interface World {
  /** One for a pipeline without branches, or one for each branch of a tee. */
  readonly parts: readonly Part[];
  /** When each is added, after the one before. */
  readonly gapsMs: readonly number[];
  readonly tookMs: readonly number[];
  readonly crashesAtMs: readonly number[];
  readonly replyMs: number;
  readonly window: number;
  readonly lanes: number;
  readonly batch: number;
  readonly maxDeliveries: number;
}

/** An entry that a part was done with, or that another part has given up. */
interface Final {
  readonly n: number;
  readonly isOwn: boolean;
}

interface Outcome {
  readonly group: SimulatedGroup;
  /** For each part, as it happened, repeats included. */
  readonly finals: readonly (readonly Final[])[];
  readonly errors: readonly unknown[];
}

/** Lets a consumer handle the entries, dying and starting again at the given times, until long after the last of them. */
function live(world: World): Outcome {
  const group = new SimulatedGroup(world.replyMs);
  const finals = world.parts.map(() => new Array<Final>());
  const errors: unknown[] = [];
  const branches = world.parts.map(({ failures }, part) => {
    const failuresOf = [...failures];
    const work = ({ n = "" }: Fields): Observable<void> => {
      const index = Number(n) - 1;
      return timer(world.tookMs[index % world.tookMs.length]!).pipe(
        map(() => {
          if ((failuresOf[index]! -= 1) >= 0) throw new Error("busy");
        }),
      );
    };
    const options = { maxDeliveries: world.maxDeliveries, backoff: fixed(70 + 30 * part), concurrency: 3 };
    const noteFinal = tap((item: Flow<unknown>) => {
      if (item._tag === "Delivery" || item.settlement._tag === "DeadLetter")
        finals[part]!.push({ n: numberOf(deliveryOf(item).id), isOwn: true });
    });
    return partitionBy(
      (entry: Fields) => entry[`key${part}`] ?? "",
      { lanes: world.lanes, whileRetrying: "wait" },
      (lane$) => lane$.pipe(retryToDLQ(work, options), noteFinal),
    );
  });
  const noteDead = tap((item: Flow<unknown>) => {
    if (item._tag === "Settled" && item.settlement._tag === "DeadLetter")
      for (const final of finals) final.push({ n: numberOf(deliveryOf(item).id), isOwn: false });
  });
  let process: Subscription | undefined;
  const start = (): void => {
    const port = new FakePort(group.answers).client;
    process = fromGroup(port, { stream: "orders", group: "g", consumer: "only", startId: "0", maxInFlight: world.window })
      .pipe(
        branches.length === 1 ? branches[0]! : tee<Fields>(...branches),
        noteDead,
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
      world.gapsMs.forEach((gapMs, index) => {
        const keys = world.parts.flatMap(({ keys: of }, part) => [`key${part}`, of[index]!]);
        const add = (): void => group.add(["n", String(index + 1), ...keys]);
        at += gapMs;
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
  return { group, finals, errors };
}

/** Per key, nothing is handled to its end before all that came before it; repeats do not count. */
function expectOrder({ keys }: Part, final: readonly Final[]): void {
  const done = new Set<number>();
  for (const { n, isOwn } of final) {
    const missing = keys.flatMap((key, index) => (key === keys[n - 1] && index + 1 < n && !done.has(index + 1) ? [index + 1] : []));
    if (isOwn) expect(missing, `before ${n}`).toEqual([]);
    done.add(n);
  }
}

const parts = (entries: number, count: number): fc.Arbitrary<Part[]> => {
  const each = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<A[]> => fc.array(value, { minLength: entries, maxLength: entries });
  const failures = each(fc.oneof(fc.constant(0), fc.nat({ max: 4 })));
  return fc.array(fc.record({ keys: each(fc.constantFrom("a", "b", "c")), failures }), { minLength: count, maxLength: count });
};

const worlds = (count: number): fc.Arbitrary<World> =>
  fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 60 })), { minLength: 1, maxLength: 40 }).chain((gapsMs) =>
    fc.record({
      parts: parts(gapsMs.length, count),
      gapsMs: fc.constant(gapsMs),
      tookMs: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 }),
      crashesAtMs: fc.uniqueArray(fc.integer({ min: 1, max: lastCrashMs - 1 }), { maxLength: 6 }),
      replyMs: fc.nat({ max: 20 }),
      window: fc.integer({ min: 1, max: 30 }),
      lanes: fc.integer({ min: 1, max: 3 }),
      batch: fc.integer({ min: 1, max: 12 }),
      maxDeliveries: fc.constantFrom(3, 1_000),
    }),
  );

/** Entries of a key wait in Redis while one before them is at work; what comes then must not stand in line right behind that one. */
const deferredInBetween: World = {
  parts: [{ keys: ["c", "a", "a", "c", "c", "c"], failures: [1, 0, 0, 0, 0, 0] }],
  gapsMs: [0, 4, 30, 0, 45, 21],
  tookMs: [9],
  crashesAtMs: [88],
  replyMs: 0,
  window: 3,
  lanes: 1,
  batch: 2,
  maxDeliveries: 3,
};

function expectOrderAndEnd(world: World): void {
  const outcome = unlessMiscounted(() => live(world));
  fc.pre(outcome !== undefined);
  const { group, finals, errors } = outcome;
  expect(errors).toEqual([]);
  world.parts.forEach((part, index) => expectOrder(part, finals[index]!));
  expect(group.isSettled).toBe(true);
  expect([...group.acked, ...group.dead].sort((a, b) => a - b)).toEqual(world.gapsMs.map((_, index) => index + 1));
}

describe("partitionBy that waits", () => {
  it("keeps keys in order across failures, crashes and restarts, and settles everything", { timeout: 400_000 }, () => {
    fc.assert(fc.property(worlds(1), expectOrderAndEnd), {
      numRuns: Number(process.env["PROPERTY_RUNS"] ?? 120),
      examples: [[deferredInBetween]],
    });
  });

  it("does so in two branches of tee, each by keys of its own", { timeout: 400_000 }, () => {
    fc.assert(fc.property(worlds(2), expectOrderAndEnd), { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 80) });
  });
});

import { concatAll } from "fp-ts/lib/Monoid.js";
import * as O from "fp-ts/lib/Option.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BackoffMonoid,
  capDelay,
  delayAfter,
  exponential,
  fixed,
  limit,
  type BackoffPolicy,
  type ExponentialOptions,
  type Failure,
} from "../../src/model/retry-policy.js";

const failure = (deliveryCount: number, random = 0.5): Failure => ({ deliveryCount, random, error: new Error("busy") });
const delays = (policy: BackoffPolicy, random = 0.5): (number | undefined)[] =>
  [1, 2, 3, 4, 5, 6].map((count) => O.toUndefined(delayAfter(policy, failure(count, random))));

describe("exponential", () => {
  const grow = (options: Partial<ExponentialOptions> = {}): BackoffPolicy => exponential({ baseMs: 100, maxMs: 1_000, ...options });

  it("doubles up to maxMs without jitter", () => expect(delays(grow({ jitter: "none" }))).toEqual([100, 200, 400, 800, 1_000, 1_000]));

  it("grows by factor", () => expect(delays(grow({ jitter: "none", factor: 3 }))).toEqual([100, 300, 900, 1_000, 1_000, 1_000]));

  it("stays the same with factor 1", () => expect(delays(grow({ jitter: "none", factor: 1 }))).toEqual([100, 100, 100, 100, 100, 100]));

  it("takes from half of the delay to all of it by default", () => {
    expect(delays(grow(), 0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(delays(grow(), 0.5)).toEqual([75, 150, 300, 600, 750, 750]);
    expect(delays(grow({ jitter: "equal" }), 0.9999999)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it("takes from nothing to all of it with full jitter", () => {
    expect(delays(grow({ jitter: "full" }), 0)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(delays(grow({ jitter: "full" }), 0.5)).toEqual([50, 100, 200, 400, 500, 500]);
  });

  it("is a whole number between its bounds for any count, and never overflows", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.constantFrom("full" as const, "equal" as const, "none" as const),
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (baseMs, more, factor, jitter, deliveryCount, random) => {
          const maxMs = baseMs + more;
          const { delayMs, giveUp } = exponential({ baseMs, maxMs, factor, jitter })({ deliveryCount, random, error: undefined });
          expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= maxMs).toBe(true);
          if (jitter === "equal") expect(delayMs).toBeGreaterThanOrEqual(Math.floor(baseMs / 2));
          expect(giveUp).toBe(false);
        },
      ),
    );
  });

  it.each([
    [{ baseMs: 0 }, /^Expected `baseMs` to be an integer of 1 or more/],
    [{ maxMs: 99 }, /^Expected `maxMs` to be an integer of 100 or more/],
    [{ factor: 0.5 }, /^Expected `factor` to be a finite number of 1 or more/],
    [{ jitter: "some" as never }, /^Expected `jitter` to be one of "full", "equal", "none"/],
  ])("refuses %j when it is called", (options, message) => expect(() => grow(options)).toThrow(message));
});

describe("fixed", () => {
  it("is the same after every failure", () => expect(delays(fixed(250))).toEqual([250, 250, 250, 250, 250, 250]));

  it("may be longer than a timer can wait: Redis does", () => expect(delays(fixed(2 ** 40))[0]).toBe(2 ** 40));

  it("refuses a negative delay", () => expect(() => fixed(-1)).toThrow(/^Expected `delayMs`/));
});

describe("capDelay", () => {
  it("advises no delay of its own", () => expect(delays(capDelay(10))).toEqual([0, 0, 0, 0, 0, 0]));

  it("bounds the delay of the policies it is joined with", () => {
    expect(delays(BackoffMonoid.concat(exponential({ baseMs: 100, maxMs: 1_000, jitter: "none" }), capDelay(300)))).toEqual([
      100, 200, 300, 300, 300, 300,
    ]);
  });

  it("refuses a negative cap", () => expect(() => capDelay(-1)).toThrow(/^Expected `maxMs`/));
});

describe("limit", () => {
  it("gives up at its nth delivery", () => {
    expect(delays(BackoffMonoid.concat(fixed(10), limit(3)))).toEqual([10, 10, undefined, undefined, undefined, undefined]);
  });

  it("refuses less than one", () => expect(() => limit(0)).toThrow(/^Expected `n` to be an integer of 1 or more/));
});

describe("BackoffMonoid", () => {
  const policy: fc.Arbitrary<BackoffPolicy> = fc.oneof(
    fc.nat(10_000).map(fixed),
    fc.nat(10_000).map(capDelay),
    fc.integer({ min: 1, max: 10 }).map(limit),
    fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.nat(5_000), fc.constantFrom("full" as const, "equal" as const, "none" as const))
      .map(([baseMs, more, jitter]) => exponential({ baseMs, maxMs: baseMs + more, jitter })),
  );
  const failures = fc.record({
    deliveryCount: fc.integer({ min: 1, max: 20 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    error: fc.anything(),
  });
  const { concat, empty } = BackoffMonoid;

  it("has an empty policy that changes nothing", () => {
    fc.assert(
      fc.property(policy, failures, (one, when) => {
        expect(concat(one, empty)(when)).toEqual(one(when));
        expect(concat(empty, one)(when)).toEqual(one(when));
      }),
    );
  });

  it("is associative and commutative", () => {
    fc.assert(
      fc.property(policy, policy, policy, failures, (a, b, c, when) => {
        expect(concat(concat(a, b), c)(when)).toEqual(concat(a, concat(b, c))(when));
        expect(concat(a, b)(when)).toEqual(concat(b, a)(when));
      }),
    );
  });

  it("joins a list: the longest delay wins, the lowest cap holds, one that gives up is enough", () => {
    const joined = concatAll(BackoffMonoid)([fixed(100), fixed(500), capDelay(300), capDelay(200), limit(2), limit(9)]);
    expect(joined(failure(1))).toEqual({ delayMs: 500, capMs: 200, giveUp: false });
    expect(delays(joined).slice(0, 3)).toEqual([200, undefined, undefined]);
  });

  it("retries at once for ever when it is empty", () => expect(delays(concatAll(BackoffMonoid)([]))).toEqual([0, 0, 0, 0, 0, 0]));
});

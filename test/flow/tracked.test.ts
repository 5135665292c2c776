import { debounceTime, filter, map, NEVER, of, switchMap, take, timer, type Observable } from "rxjs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { tracked } from "../../src/flow/tracked.js";
import { ordinal } from "../../src/model/last-seen.js";
import type { Flow } from "../../src/model/settlement.js";
import { batch } from "../../src/operators/batch.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { decode } from "../../src/operators/decode.js";
import { dedupe } from "../../src/operators/dedupe.js";
import { filterAck } from "../../src/operators/filter-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { rateLimit } from "../../src/operators/rate-limit.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { tee } from "../../src/operators/tee.js";
import { handOff } from "../../src/sinks/hand-off.js";
import { FakePort } from "../support/fake-port.js";
import { calmPlan, simulate } from "../support/simulation.js";

const handle = retryToDLQ((value: unknown) => value, { maxDeliveries: 5 });
const read = decode<Fields, Fields>((fields) => ({ _tag: "Right", right: fields }));
const isNot = (n: number) => (item: Flow<unknown>) => (item as Delivery<unknown>).id !== `${n}-0`;

/** What the status says of the oldest delivery that nobody settles. */
function reported(pipeline: (source$: Observable<Delivery<Fields>>) => Observable<Flow<unknown>>): readonly unknown[] {
  const { statuses } = simulate(pipeline, { ...calmPlan, total: 4 });
  return statuses.flatMap((status) => (status._tag === "stalled" ? [status.lastSeen] : []));
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a stalled status says in development where a delivery was seen last", () => {
  it.each<readonly [string, Parameters<typeof reported>[0], string]>([
    ["filter", (source$) => source$.pipe(read, filter(isNot(2)), handle), "leaving decode (1st operator)"],
    ["switchMap", (source$) => source$.pipe(read, handle, switchMap((item) => timer(5).pipe(map(() => item)))), "leaving retryToDLQ (2nd operator)"], // prettier-ignore
    ["debounceTime, behind others of RxJS", (source$) => source$.pipe(map((d) => d), read, debounceTime(9)), "leaving decode (2nd operator)"], // prettier-ignore
    ["filter, before any of ours that sees it again", (source$) => source$.pipe(read, filterAck(() => true), filter(isNot(1)), handle), "leaving filterAck (2nd operator)"], // prettier-ignore
    ["a filter in a branch", (source$) => source$.pipe(read, tee(handle, (branch$) => branch$.pipe(handle, filter(isNot(2))))), "branch 2 of tee: leaving retryToDLQ (1st operator)"], // prettier-ignore
  ])("when it was dropped by %s", (_, pipeline, expected) => expect(reported(pipeline)[0]).toBe(expected));

  it("when a take has ended the pipeline, by its end: what was in flight is handed back", () => {
    const slow = retryToDLQ(() => timer(20), { maxDeliveries: 5 });
    const { leftOver, run } = simulate((source$) => source$.pipe(slow, take(1)), calmPlan);
    expect(leftOver.length).toBeGreaterThan(0);
    expect(run.ended).toBe("complete");
  });

  it.each<readonly [string, Parameters<typeof reported>[0], string]>([
    [
      "a handler",
      (source$) =>
        source$.pipe(
          read,
          retryToDLQ(() => NEVER, { maxDeliveries: 5 }),
        ),
      "entering retryToDLQ (2nd operator)",
    ],
    ["a batch", (source$) => source$.pipe(batch<Fields, never>(() => NEVER, { maxSize: 2 })), "entering batch (1st operator)"],
    ["a question of dedupe", (source$) => source$.pipe(dedupe(new FakePort({ claim: () => NEVER }).client, { key: ({ n = "" }) => n, ttlMs: 1 })), "entering dedupe (1st operator)"], // prettier-ignore
    ["a lane", (source$) => source$.pipe(partitionBy<Fields, never>(() => "key", { lanes: 1 }, (lane$) => lane$.pipe(filter(() => false)) as Observable<never>)), "entering partitionBy (1st operator)"], // prettier-ignore
    ["a hand-off that is not answered", (source$) => source$.pipe(handOff(new FakePort({ settle: () => NEVER }).client, { to: "out", fields: () => ({ n: 1 }) }), filter(() => false)) as Observable<never>, "entering handOff (1st operator)"], // prettier-ignore
    ["a limit", (source$) => source$.pipe(rateLimit({ limit: 1, perMs: 100_000 })), "entering rateLimit (1st operator)"],
  ])("when %s holds it", (_, pipeline, expected) => expect(reported(pipeline)[0]).toBe(expected));

  it("when a batch of decisions was dropped on its way to the sink", () => {
    const { statuses } = simulate(
      (source$) =>
        source$.pipe(
          read,
          bufferAck({ maxSize: 1 }),
          filter(() => false),
        ),
      { ...calmPlan, total: 4 },
    );
    expect(statuses.find(({ _tag }) => _tag === "stalled")).toMatchObject({ lastSeen: "leaving bufferAck (2nd operator)" });
  });

  it("and in production nothing, because nothing is noted", () => {
    vi.stubEnv("NODE_ENV", "production");
    const production = retryToDLQ((value: unknown) => value, { maxDeliveries: 5 });
    expect(reported((source$) => source$.pipe(production, filter(isNot(2))))).toEqual([undefined]);
  });
});

describe("tracked", () => {
  it("is the operator itself in production", () => {
    const operator = map((item: Flow<unknown>) => item);
    expect(tracked("map", operator)).not.toBe(operator);
    vi.stubEnv("NODE_ENV", "production");
    expect(tracked("map", operator)).toBe(operator);
  });

  it("leaves what is no delivery alone", () => {
    const seen: unknown[] = [];
    of(1, undefined, null, { _tag: "Delivery" }).pipe(tracked("map", map((item: unknown) => item))).subscribe((item) => seen.push(item)); // prettier-ignore
    expect(seen).toEqual([1, undefined, null, { _tag: "Delivery" }]);
  });
});

describe("ordinal", () => {
  it.each([
    [1, "1st"],
    [2, "2nd"],
    [3, "3rd"],
    [4, "4th"],
    [11, "11th"],
    [12, "12th"],
    [13, "13th"],
    [21, "21st"],
    [112, "112th"],
  ])("of %i is %s", (position, text) =>
    // prettier-ignore
    expect(ordinal(position)).toBe(text),
  );
});

import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { concatMap, delay, map, mergeMap, NEVER, of, pipe, throwError, timer, type Observable, type OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import type { ClaimedKey } from "../../src/model/claim.js";
import type { Delivery } from "../../src/model/delivery.js";
import { fixed } from "../../src/model/retry-policy.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { batch } from "../../src/operators/batch.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { decode } from "../../src/operators/decode.js";
import { dedupe } from "../../src/operators/dedupe.js";
import { filterAck } from "../../src/operators/filter-ack.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { rateLimit } from "../../src/operators/rate-limit.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { tee } from "../../src/operators/tee.js";
import type { ClaimAnswer } from "../../src/redis/port.js";
import { FakePort } from "../support/fake-port.js";
import { faultsOf, simulate, type Plan } from "../support/simulation.js";
import { unlessMiscounted } from "../support/virtual-time.js";

type Operator = OperatorFunction<Flow<unknown>, Flow<unknown>>;

/** How an operator deals with an entry: a number per entry, the same in every run of a test case. */
type Mood = (delivery: Delivery<unknown>) => number;

const moodOf =
  (salt: number): Mood =>
  ({ id }) =>
    (Math.imul(Number(id.split("-")[0]) + salt, 2_654_435_761) >>> 8) % 100;

/** What handlers do: answer at once or late, fail in every way, decide themselves, or never end when something else ends them. */
function act(mood: number, delivery: Delivery<unknown>, hasTimeout: boolean): unknown {
  if (mood < 30) return mood;
  if (mood < 55) return timer(mood % 20).pipe(map(() => mood));
  if (mood < 65) throw new Error("thrown");
  if (mood < 75) return timer(mood % 9).pipe(mergeMap(() => throwError(() => new Error("late"))));
  if (mood < 82) return E.left("left");
  if (mood < 88) return settle.retry(delivery, { delayMs: mood });
  if (mood < 93) return timer(3).pipe(map(() => settle.release(delivery)));
  if (mood < 97) return settle.ack(delivery, "duplicate");
  return hasTimeout ? NEVER : timer(40);
}

const options = (salt: number): { readonly maxDeliveries: number; readonly concurrency: number; readonly timeoutMs?: number } => ({
  maxDeliveries: 1 + (salt % 2),
  concurrency: 1 + (salt % 4),
  ...(hasTimeout(salt) ? { timeoutMs: 30 } : {}),
});
const hasTimeout = (salt: number): boolean => salt % 3 > 0;

/** Each operator of the library with settings and handlers made from a number. To try another one, add it here. */
const operators: Readonly<Record<string, (salt: number) => Operator>> = {
  decode: (salt) => {
    let calls = 0;
    return decode((value) => ((calls += 1) * 7 + salt) % 10 === 0 ? E.left("unreadable") : E.right(value)); // prettier-ignore
  },
  filterAck: (salt) => {
    const mood = moodOf(salt);
    return filterAck((_, delivery) => {
      if (mood(delivery) > 95) throw new Error("predicate");
      return mood(delivery) > 20;
    });
  },
  retryToDLQ: (salt) => {
    const mood = moodOf(salt);
    return retryToDLQ((_, delivery) => act(mood(delivery), delivery, hasTimeout(salt)) as number, { ...options(salt), backoff: fixed(10) });
  },
  batch: (salt) => {
    const mood = moodOf(salt);
    const handler = (_: readonly unknown[], all: readonly Delivery<unknown>[]): number[] | undefined => {
      if (salt % 5 === 0) return [];
      if (salt % 4 === 0 && all.some((each) => mood(each) > 90)) throw new Error("poison");
      if (salt % 4 === 1) return timer(salt % 30) as unknown as undefined;
      return all.map((each) => (mood(each) > 55 && mood(each) < 65 ? E.left("item") : act(mood(each), each, hasTimeout(salt))) as number);
    };
    return batch(handler as () => undefined, { ...options(salt), maxSize: 1 + (salt % 7), maxWaitMs: salt % 50, backoff: fixed(10) });
  },
  rateLimit: (salt) => rateLimit({ limit: 1 + (salt % 4), perMs: 1 + (salt % 40) }),
  "rateLimit of a group": (salt) => {
    let asked = 0;
    const takePermits = (_: unknown, { wanted }: { readonly wanted: number }): Observable<{ granted: number; waitMs: number }> => {
      asked += 1;
      if (asked % 5 === 0) return throwError(() => new Error("LOADING"));
      const granted = Math.min(wanted, 1 + (salt % 3));
      return of({ granted, waitMs: granted === wanted ? 0 : 4 }).pipe(delay(salt % 4));
    };
    return rateLimit(new FakePort({ takePermits }).client, { limit: 5, perMs: 10, scope: "group" });
  },
  dedupe: (salt) => {
    const mood = moodOf(salt);
    let asked = 0;
    const answer = ({ holder }: ClaimedKey): ClaimAnswer => {
      const luck = (holder.length + asked) % 7;
      if (luck === 0) return { _tag: "done", forMs: 9 };
      return { _tag: luck === 1 ? "claimed" : "taken" };
    };
    const claim = (_: unknown, claims: readonly ClaimedKey[]): Observable<readonly ClaimAnswer[]> => {
      asked += 1;
      return asked % 5 === 0 ? throwError(() => new Error("LOADING")) : of(claims.map(answer)).pipe(delay(salt % 4));
    };
    const key = (_: unknown, delivery: Delivery<unknown>): string => (mood(delivery) > 95 ? "" : String(mood(delivery) % 12));
    return dedupe(new FakePort({ claim }).client, { key, ttlMs: 50, waitMs: 1 + (salt % 9) });
  },
  "partitionBy without a pipeline": (salt) => {
    const mood = moodOf(salt);
    const lanes = partitionBy<unknown>((_, delivery) => String(mood(delivery) % 5), { lanes: 1 + (salt % 3) });
    return pipe(lanes, mergeMap((lane$) => lane$.pipe(concatMap((item) => timer(salt % 9).pipe(map(() => item)))))); // prettier-ignore
  },
  "a raw mergeMap": (salt) => mergeMap((item) => timer(salt % 15).pipe(map(() => item))),
};

/** An operator by name with its number, branches of them, or lanes. */
type Piece =
  | { readonly name: string; readonly salt: number }
  | { readonly branches: readonly (readonly Piece[])[] }
  | { readonly lane: readonly Piece[]; readonly lanes: number; readonly inOrder: "key" | "lane" | "wait"; readonly keys: number };

const plain = fc.record({ name: fc.constantFrom(...Object.keys(operators)), salt: fc.nat(1_000) });
const piecesOf = (piece: fc.Arbitrary<Piece>, maxLength: number): fc.Arbitrary<Piece[]> => fc.array(piece, { minLength: 1, maxLength });
const teed = (inside: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.record({ branches: fc.array(piecesOf(inside, 2), { minLength: 1, maxLength: 3 }) });
const laned = (inside: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.record({
    lane: piecesOf(inside, 2),
    lanes: fc.integer({ min: 1, max: 3 }),
    inOrder: fc.constantFrom("key", "lane", "wait"),
    keys: fc.integer({ min: 1, max: 6 }),
  });
const around = (inside: fc.Arbitrary<Piece>, weight: number): fc.Arbitrary<Piece> =>
  fc.oneof({ weight: 5, arbitrary: plain }, { weight, arbitrary: teed(inside) }, { weight, arbitrary: laned(inside) });
const any = around(around(plain, 1), 2);

function build(pieces: readonly Piece[]): Operator {
  return pieces.map(one).reduce((before, after) => pipe(before, after));
}

function one(piece: Piece): Operator {
  if ("name" in piece) return operators[piece.name]!(piece.salt);
  if ("branches" in piece) return tee(...piece.branches.map(build));
  const { lanes, inOrder, keys } = piece;
  const order = inOrder === "wait" ? ({ whileRetrying: "wait" } as const) : { inOrder };
  const key = (_: unknown, delivery: Delivery<unknown>): string => String(moodOf(keys)(delivery) % keys);
  return partitionBy<unknown, Flow<unknown>>(key, { lanes, ...order }, (lane$) => lane$.pipe(build(piece.lane)));
}

/** A drain that waits so long ends with nothing left over. */
const patientMs = 20_000;

const plans: fc.Arbitrary<Plan> = fc.record(
  {
    total: fc.integer({ min: 1, max: 30 }),
    everyMs: fc.integer({ min: 0, max: 6 }),
    maxInFlight: fc.integer({ min: 1, max: 12 }),
    writeMs: fc.integer({ min: 0, max: 5 }),
    drainAt: fc.integer({ min: 0, max: 600 }),
    drainTimeoutMs: fc.oneof(fc.integer({ min: 0, max: 600 }), fc.constant(patientMs)),
    unsubscribeAt: fc.integer({ min: 0, max: 400 }),
    failEvery: fc.integer({ min: 2, max: 5 }),
    claims: fc.array(fc.record({ n: fc.integer({ min: 1, max: 30 }), at: fc.integer({ min: 0, max: 300 }) }), { maxLength: 4 }),
    seed: fc.nat(),
  },
  { requiredKeys: ["total", "everyMs", "maxInFlight", "writeMs", "drainAt", "drainTimeoutMs", "seed"] },
);

const buffers = fc.option(fc.record({ maxSize: fc.integer({ min: 1, max: 9 }), maxWaitMs: fc.integer({ min: 0, max: 40 }) }));

describe("any composition of operators", () => {
  it("settles every delivery exactly once, whatever fails, is lost, drained or cancelled", () => {
    fc.assert(
      fc.property(piecesOf(any, 4), buffers, plans, (pieces, buffer, plan) => {
        const outcome = unlessMiscounted(() =>
          simulate((source$) => (buffer === null ? source$.pipe(build(pieces)) : source$.pipe(build(pieces), bufferAck(buffer))), plan),
        );
        fc.pre(outcome !== undefined);
        expect(faultsOf(outcome)).toEqual([]);
        if (plan.unsubscribeAt !== undefined) return;
        expect(outcome.run.ended).toBe("complete");
        if (plan.drainTimeoutMs === patientMs) expect(outcome.leftOver).toEqual([]);
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 150) },
    );
  });

  it("would notice a delivery that is dropped, and one that is settled twice", () => {
    const dropping: Operator = mergeMap((item) => ((item as Delivery<unknown>).id === "3-0" ? [] : [item]));
    const outcome = simulate((source$) => source$.pipe(dropping));
    expect(outcome.leftOver).toEqual([3]);
    const doubling: Operator = mergeMap((item) => [item, item]);
    expect(faultsOf(simulate((source$) => source$.pipe(doubling)))).toContain("1: came out 2 times");
  });
});

import { of, timer, throwError, map, type Observable, tap, delay } from "rxjs";
import { vi } from "vitest";
import type { Delivery } from "../../src/model/delivery.js";
import type { EntryId } from "../../src/model/entry-id.js";
import type { Fields } from "../../src/model/fields.js";
import type { OrderAnswer } from "../../src/model/order.js";
import { deliveryOf, type Flow, type SettlementBatch } from "../../src/model/settlement.js";
import type { SourceStatus } from "../../src/model/status.js";
import type { SettleOutcome, SettleRequest } from "../../src/redis/port.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { fromGroup } from "../../src/sources/from-group.js";
import { FakePort } from "./fake-port.js";
import { Feed } from "./group-run.js";
import { marbles, nowMs, record, type Recording } from "./virtual-time.js";

/** What happens to a pipeline in a simulation; times in ms. */
export interface Plan {
  /** Entries `1-0`, `2-0` …, one every `everyMs` from 5 on. */
  readonly total: number;
  readonly everyMs: number;
  readonly maxInFlight: number;
  /** How long Redis takes for a write. */
  readonly writeMs: number;
  readonly drainAt: number;
  readonly drainTimeoutMs: number;
  readonly unsubscribeAt?: number;
  /** Of the first writes every so many fail, and are repeated. */
  readonly failEvery?: number;
  /** Another consumer claims this entry at that time. */
  readonly claims?: readonly { readonly n: number; readonly at: number }[];
  /** Decides all jitter, so that the same plan always goes the same way. @defaultValue 0 */
  readonly seed?: number;
}

export const calmPlan: Plan = { total: 12, everyMs: 3, maxInFlight: 4, writeMs: 2, drainAt: 1_000, drainTimeoutMs: 1_000 };

/** What became of each entry, by number. */
export interface Outcome {
  /** Entries that were handed to the consumer. */
  readonly handedOut: readonly number[];
  /** How often each came out of the pipeline, in front of the sink. */
  readonly emitted: ReadonlyMap<number, number>;
  /** Confirmed writes: `ack`, `retry`, `dead`, `release`. */
  readonly written: ReadonlyMap<number, readonly string[]>;
  /** Handed back by the source itself, at its end. */
  readonly leftOver: readonly number[];
  readonly lost: readonly number[];
  readonly statuses: readonly (SourceStatus & { readonly at: number })[];
  readonly run: Recording<unknown>;
  /** Connections that are open still. */
  readonly open: number;
}

type Pipeline = (source$: Observable<Delivery<Fields>>) => Observable<Flow<unknown> | SettlementBatch>;

const numberOf = (id: EntryId): number => Number(id.split("-")[0]);
/** Some wait for an earlier entry of their key, for those that ask. */
const waits = (n: number): OrderAnswer => ({ isMarked: n % 4 === 1, waitsMs: n % 5 === 2 ? 10 : undefined });
const bump = <K, V>(counts: Map<K, V>, key: K, next: (before: V | undefined) => V): unknown => counts.set(key, next(counts.get(key)));

/** Runs a pipeline over a real source, ledger and sink in virtual time, on a Redis that keeps account of every entry. */
export function simulate(pipeline: Pipeline, plan: Plan = calmPlan): Outcome {
  const random = vi.spyOn(Math, "random").mockImplementation(randomFrom(plan.seed ?? 0));
  try {
    return carryOut(pipeline, plan);
  } finally {
    random.mockRestore();
  }
}

/** Numbers as from `Math.random`, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

function carryOut(pipeline: Pipeline, plan: Plan): Outcome {
  const feed = new Feed();
  const handedOut: number[] = [];
  const emitted = new Map<number, number>();
  const written = new Map<number, string[]>();
  const leftOver: number[] = [];
  const statuses: Outcome["statuses"][number][] = [];
  const lost = (): number[] => statuses.flatMap((status) => (status._tag === "leaseLost" ? status.ids.map(numberOf) : []));
  /** Found to be another consumer's: the source may leave before it has said so. */
  const taken = new Set<number>();
  let writes = 0;
  const write = <A>(answer: () => A): Observable<A> => {
    writes += 1;
    if (plan.failEvery !== undefined && writes < 12 && writes % plan.failEvery === 0) return throwError(() => new Error("LOADING"));
    return of(answer()).pipe(delay(plan.writeMs));
  };
  /** XACK looks at no owner, so that it ends what was handed back a moment ago, too; the second time it finds nothing. */
  const ack = (ids: readonly EntryId[]): number =>
    ids.map(numberOf).filter((n) => {
      if (written.get(n)?.includes("ack")) return false;
      if (leftOver.includes(n)) leftOver.splice(leftOver.indexOf(n), 1);
      bump(written, n, (before = []) => [...before, "ack"]);
      return true;
    }).length;
  const settle = ({ decisions }: SettleRequest): SettleOutcome[] =>
    decisions.map(({ id, verb }) => {
      if (leftOver.includes(numberOf(id))) return { _tag: "notPending" };
      bump(written, numberOf(id), (before = []) => [...before, verb]);
      return { _tag: "done" };
    });
  const port = new FakePort({
    read: (request) =>
      feed.read(request).pipe(tap((pages) => pages.forEach(({ entries }) => handedOut.push(...entries.map(([id]) => numberOf(id)))))),
    ack: (_ref, ids) => write(() => ack(ids)),
    settle: (_ref, request) => write(() => settle(request)),
    earlier: (_ref, questions) => write(() => questions.map(({ id }) => waits(numberOf(id)))),
    renew: (_ref, ids) => {
      const claimed = (id: EntryId): boolean => plan.claims?.some(({ n, at }) => n === numberOf(id) && at <= nowMs()) ?? false;
      const gone = ids.filter(claimed);
      for (const id of gone) taken.add(numberOf(id));
      return of({ lost: gone, deleted: [], absent: [] });
    },
    leave: (_ref, { only }) => {
      const back = only?.map(numberOf) ?? handedOut.filter((n) => !written.has(n) && !taken.has(n));
      leftOver.push(...back.filter((n) => !leftOver.includes(n)));
      return of(back.length);
    },
  });
  const drain = new AbortController();
  const source$ = fromGroup(port.client, {
    stream: "orders",
    group: "shipping",
    startId: "0",
    maxInFlight: plan.maxInFlight,
    leaseMs: 150,
    stalledAfterMs: 400,
    signal: drain.signal,
    drainTimeoutMs: plan.drainTimeoutMs,
    status: { next: (status) => void statuses.push({ ...status, at: nowMs() }) },
  });
  const note = (item: Flow<unknown>): unknown => bump(emitted, numberOf(deliveryOf(item).id), (before = 0) => before + 1);
  let run: Recording<unknown> | undefined;
  marbles(({ flush }) => {
    run = record(
      pipeline(source$).pipe(
        tap((item) => ((item as Partial<SettlementBatch>).items ?? [item as Flow<unknown>]).forEach(note)),
        acknowledge(port.client),
      ),
    );
    for (let n = 1; n <= plan.total; n += 1) record(timer(5 + n * plan.everyMs), () => feed.push(n));
    record(timer(plan.drainAt), () => drain.abort());
    if (plan.unsubscribeAt !== undefined) record(timer(plan.unsubscribeAt), () => run?.stop());
    record(timer(plan.drainAt + plan.drainTimeoutMs + 30_000).pipe(map(() => 0)), () => run?.stop()); // whatever hangs ends here
    flush();
  });
  return { handedOut, emitted, written, leftOver, lost: lost(), statuses, run: run!, open: port.open.commands + port.open.readers };
}

/** What is wrong with an outcome: nothing when each entry that was handed out came out once at most, and has met exactly one end. */
export function faultsOf({ handedOut, emitted, written, leftOver, lost, run, open }: Outcome): string[] {
  const faults = handedOut.flatMap((n) => {
    const ends = [...(written.get(n) ?? []), ...leftOver.filter((each) => each === n).map(() => "left over"), ...lost.filter((each) => each === n).map(() => "lost")]; // prettier-ignore
    return ends.length === 1 ? [] : [`${n}: ${ends.join(", ") || "nothing"}`];
  });
  for (const [n, times] of emitted) if (times > 1) faults.push(`${n}: came out ${times} times`);
  if (run.ended === "error") faults.push(`error: ${String(run.error)}`);
  if (open !== 0) faults.push(`${open} connections open`);
  return faults;
}

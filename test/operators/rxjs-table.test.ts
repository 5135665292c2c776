/* eslint-disable @typescript-eslint/no-deprecated, rxjs-x/no-unnecessary-collection, rxjs-x/prefer-root-operators -- every operator there is, old ones as well */
import { readFileSync } from "node:fs";
import { asyncScheduler, EMPTY, merge, NEVER, of, Subject, timer, type Observable } from "rxjs";
import * as rx from "rxjs/operators";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import type { Flow } from "../../src/model/settlement.js";
import { calmPlan, faultsOf, simulate, type Outcome, type Plan } from "../support/simulation.js";

type Source = Observable<Delivery<Fields>>;
type Use = (source$: Source) => Observable<unknown>;

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const rows = [...read("../../docs/operators-and-rxjs.md").matchAll(/^\| `(\w+)` +\| (safe|ours|never) +\| (.*?) *\|$/gm)].map(
  ([, name, verdict, why]) => ({ name: name!, verdict: verdict!, why: why! }),
);

const n = ({ value }: Delivery<Fields>): number => Number(value["n"]);
const later = (delivery: Delivery<Fields>): Observable<Delivery<Fields>> => of(delivery).pipe(rx.delay(5));
const twice = (shared$: Source): Source => merge(shared$, shared$);
const inner = rx.map(later);
const nothing: Plan = { ...calmPlan, total: 0 };

/** How somebody would use each operator in a pipeline: the most harmless way there is. */
const uses: Readonly<Record<string, Use | { readonly use: Use; readonly plan: Plan }>> = {
  audit: rx.audit(() => timer(5)),
  auditTime: rx.auditTime(5),
  buffer: rx.buffer(timer(0, 10)),
  bufferCount: rx.bufferCount(2),
  bufferTime: rx.bufferTime(10),
  bufferToggle: rx.bufferToggle(timer(0, 20), () => timer(10)),
  bufferWhen: rx.bufferWhen(() => timer(10)),
  catchError: rx.catchError(() => EMPTY),
  combineAll: (source$) => source$.pipe(inner, rx.combineAll()),
  combineLatest: rx.combineLatest(of(1)),
  combineLatestAll: (source$) => source$.pipe(inner, rx.combineLatestAll()),
  combineLatestWith: rx.combineLatestWith(of(1)),
  concat: rx.concat(EMPTY),
  concatAll: (source$) => source$.pipe(inner, rx.concatAll()),
  concatMap: rx.concatMap(later),
  concatMapTo: rx.concatMapTo(of(1)),
  concatWith: rx.concatWith(EMPTY),
  connect: rx.connect(twice),
  count: rx.count(),
  debounce: rx.debounce(() => timer(5)),
  debounceTime: rx.debounceTime(5),
  defaultIfEmpty: { use: rx.defaultIfEmpty(0), plan: nothing },
  delay: rx.delay(5),
  delayWhen: rx.delayWhen(() => timer(5)),
  dematerialize: rx.dematerialize() as unknown as Use,
  distinct: rx.distinct((delivery) => n(delivery) % 5),
  distinctUntilChanged: rx.distinctUntilChanged((one, other) => Math.floor(n(one) / 2) === Math.floor(n(other) / 2)),
  distinctUntilKeyChanged: rx.distinctUntilKeyChanged("stream"),
  elementAt: rx.elementAt(2),
  endWith: rx.endWith(0),
  every: rx.every(() => true),
  exhaust: (source$) => source$.pipe(inner, rx.exhaust()),
  exhaustAll: (source$) => source$.pipe(inner, rx.exhaustAll()),
  exhaustMap: rx.exhaustMap(later),
  expand: rx.expand((delivery, index) => (index < 12 ? of(delivery) : EMPTY)),
  filter: rx.filter((delivery) => n(delivery) % 3 > 0),
  finalize: rx.finalize(() => undefined),
  find: rx.find((delivery) => n(delivery) === 2),
  findIndex: rx.findIndex((delivery) => n(delivery) === 2),
  first: rx.first(),
  flatMap: rx.flatMap(later),
  groupBy: rx.groupBy((delivery) => n(delivery) % 2),
  ignoreElements: rx.ignoreElements(),
  isEmpty: rx.isEmpty(),
  last: rx.last(),
  map: rx.map((delivery) => delivery.map(() => 1)),
  mapTo: rx.mapTo(1),
  materialize: rx.materialize(),
  max: rx.max((one, other) => n(one) - n(other)),
  merge: rx.merge(EMPTY),
  mergeAll: (source$) => source$.pipe(inner, rx.mergeAll()),
  mergeMap: rx.mergeMap(later),
  mergeMapTo: rx.mergeMapTo(of(1)),
  mergeScan: rx.mergeScan((_: unknown, delivery: Delivery<Fields>) => later(delivery), undefined),
  mergeWith: rx.mergeWith(EMPTY),
  min: rx.min((one, other) => n(one) - n(other)),
  multicast: rx.multicast(() => new Subject<Delivery<Fields>>(), twice),
  observeOn: rx.observeOn(asyncScheduler),
  onErrorResumeNext: rx.onErrorResumeNext(EMPTY),
  pairwise: rx.pairwise(),
  partition: (source$) => merge(...rx.partition<Delivery<Fields>>((delivery) => n(delivery) % 2 === 0)(source$)),
  pluck: rx.pluck("value"),
  publish: rx.publish(twice),
  publishBehavior: (source$) => rx.refCount<unknown>()(rx.publishBehavior<unknown>(0)(source$)),
  publishLast: (source$) => rx.refCount<unknown>()(rx.publishLast<unknown>()(source$)),
  publishReplay: rx.publishReplay(1, undefined, twice),
  race: rx.race(timer(1)),
  raceWith: rx.raceWith(timer(1)),
  reduce: rx.reduce((_, delivery) => delivery),
  refCount: (source$) => twice(rx.refCount<Delivery<Fields>>()(rx.publish<Delivery<Fields>>()(source$))),
  repeat: rx.repeat({ delay: 100 }),
  repeatWhen: rx.repeatWhen((ends) => ends.pipe(rx.delay(100))),
  retry: rx.retry({ delay: 100 }),
  retryWhen: rx.retryWhen((errors) => errors.pipe(rx.delay(100))),
  sample: rx.sample(timer(0, 10)),
  sampleTime: rx.sampleTime(10),
  scan: rx.scan((_, delivery) => delivery),
  sequenceEqual: rx.sequenceEqual<Delivery<Fields>>(NEVER),
  share: (source$) => twice(source$.pipe(rx.share())),
  shareReplay: (source$) => twice(source$.pipe(rx.shareReplay(1))),
  single: rx.single((delivery) => n(delivery) === 2),
  skip: rx.skip(1),
  skipLast: rx.skipLast(1),
  skipUntil: rx.skipUntil(timer(15)),
  skipWhile: rx.skipWhile((delivery) => n(delivery) < 2),
  startWith: rx.startWith(0),
  subscribeOn: rx.subscribeOn(asyncScheduler),
  switchAll: (source$) => source$.pipe(inner, rx.switchAll()),
  switchMap: rx.switchMap(later),
  switchMapTo: rx.switchMapTo(of(1)),
  switchScan: rx.switchScan((_: unknown, delivery: Delivery<Fields>) => later(delivery), undefined),
  take: rx.take(5),
  takeLast: rx.takeLast(5),
  takeUntil: rx.takeUntil(timer(20)),
  takeWhile: rx.takeWhile((delivery) => n(delivery) < 5),
  tap: rx.tap(() => undefined),
  throttle: rx.throttle(() => timer(5)),
  throttleTime: rx.throttleTime(5),
  throwIfEmpty: { use: rx.throwIfEmpty(), plan: nothing },
  timeInterval: rx.timeInterval(),
  timeout: rx.timeout(100),
  timeoutWith: rx.timeoutWith(2, EMPTY),
  timestamp: rx.timestamp(),
  toArray: rx.toArray(),
  window: rx.window(timer(0, 10)),
  windowCount: rx.windowCount(2),
  windowTime: rx.windowTime(10),
  windowToggle: rx.windowToggle(timer(0, 20), () => timer(10)),
  windowWhen: rx.windowWhen(() => timer(10)),
  withLatestFrom: rx.withLatestFrom(of(1)),
  zip: rx.zip(of(1)),
  zipAll: (source$) => source$.pipe(inner, rx.zipAll()),
  zipWith: rx.zipWith(of(1)),
};

/** What an operator does wrong; nothing when every entry that is there came out once and was settled once, and the pipeline drained. */
function harm(outcome: Outcome, { total }: Plan): string[] {
  const faults = faultsOf(outcome);
  if (outcome.leftOver.length > 0) faults.push(`left over: ${outcome.leftOver.join(", ")}`);
  if (outcome.emitted.size < total) faults.push(`${total - outcome.emitted.size} did not come out`);
  if (outcome.run.ended === undefined) faults.push("goes on after the drain");
  return faults;
}

describe("docs/operators-and-rxjs.md", () => {
  it("has a row for every operator of RxJS, in order, and for nothing else", () => {
    const names = Object.keys(rx).filter((name) => name !== "default" && name !== "module.exports" && name !== "__esModule");
    expect(names.length).toBeGreaterThan(110);
    expect(rows.map(({ name }) => name)).toEqual([...names].sort());
    expect(Object.keys(uses).sort()).toEqual([...names].sort());
  });

  it.each(rows)("$name is $verdict", ({ name, verdict }) => {
    const { use, plan } = typeof uses[name] === "function" ? { use: uses[name], plan: calmPlan } : uses[name]!;
    const found = harm(
      simulate((source$) => use(source$) as Observable<Flow<unknown>>, plan),
      plan,
    );
    if (verdict === "safe") expect(found).toEqual([]);
    else expect(found).not.toEqual([]);
  });

  it("names an operator of this library in every row that is ours", () => {
    for (const { verdict, why } of rows)
      if (verdict === "ours") expect(why).toMatch(/`(batch|bufferAck|dedupe|filterAck|partitionBy|rateLimit|tee|signal|timeoutMs)`/);
  });

  it.each(["batch", "bufferAck", "dedupe", "filterAck", "handOff", "partitionBy", "rateLimit", "retryToDLQ", "tee"])(
    "says when to use %s",
    (name) => {
      expect(rows.some(({ why }) => why.includes(`\`${name}\``))).toBe(true);
    },
  );

  it("marks with † what does not compile, and the type tests show that it does not", () => {
    const refused = [...read("../types/rxjs-table.test-d.ts").matchAll(/@ts-expect-error (\w+):/g)].map(([, name]) => name);
    expect(rows.filter(({ why }) => why.startsWith("†")).map(({ name }) => name)).toEqual(refused);
  });
});

import { concatMap, EMPTY, from, map, NEVER, of, Subject, throwError, timer, type Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Fields } from "../../src/model/fields.js";
import { heldBy } from "../../src/model/held-delivery.js";
import { deliveryOf, settle, type Flow } from "../../src/model/settlement.js";
import { dedupe, type DedupeOptions } from "../../src/operators/dedupe.js";
import type { ClaimAnswer } from "../../src/redis/port.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { summary, TestSource } from "../support/deliveries.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import { inTurn } from "../support/group-run.js";
import { marbles, record, timeline, type Recording } from "../support/virtual-time.js";

type Item = Flow<Fields>;

const options: DedupeOptions<Fields> = { key: ({ key = "" }) => key, ttlMs: 10_000 };
const taken: ClaimAnswer = { _tag: "taken" };
const claimed: ClaimAnswer = { _tag: "claimed" };
const done: ClaimAnswer = { _tag: "done", forMs: 500 };

/** A dedupe over a fake port, fed by hand; stopped at `untilMs`. */
class Run {
  readonly port: FakePort;
  // eslint-disable-next-line rxjs-x/no-exposed-subjects -- the tests feed it
  readonly input: Subject<Item> = new Subject();
  readonly source = new TestSource();
  readonly #options: DedupeOptions<Fields>;
  #recording: Recording<Item> | undefined;
  #next = 1;

  constructor(answers: Answers = {}, more: Partial<DedupeOptions<Fields>> = {}) {
    this.port = new FakePort(answers);
    this.#options = { ...options, ...more };
  }

  play(untilMs: number, steps: Readonly<Record<number, () => void>>): this {
    timeline({
      0: () => {
        this.#recording = record(this.input.pipe(dedupe(this.port.client, this.#options)));
        steps[0]?.();
      },
      ...Object.fromEntries(Object.entries(steps).filter(([at]) => at !== "0")),
      [untilMs]: () => this.recording.stop(),
    });
    return this;
  }

  get recording(): Recording<Item> {
    return this.#recording!;
  }
  get seen(): string[] {
    return this.recording.values.map(summary);
  }
  /** The keys asked for, per question. */
  get asked(): string[][] {
    return this.questions("take");
  }
  questions(how: "take" | "renew"): string[][] {
    return this.port
      .argsOf("claim")
      .flatMap(([, claims, kind]) => (kind === how ? [(claims as { name: string }[]).map(({ name }) => name)] : []));
  }
  /** Feeds entries with these keys, in one loop. */
  feed(...keys: readonly string[]): void {
    const deliveries = keys.map((key) => this.source.one(`${this.#next++}-0`, { key }));
    for (const delivery of deliveries) this.input.next(delivery);
  }
  /** What a sink does when it is confirmed. */
  settle(index: number, isDone: boolean): void {
    const held = heldBy(deliveryOf(this.recording.values[index]!));
    held.origin.confirm([{ held }]);
    for (const claim of held.claims ?? []) claim.over(isDone);
  }
}

const release = (id: number): string => `${id}-0 release`;
const duplicate = (id: number): string => `${id}-0 ack duplicate`;
const passes = (id: number, key: string): string => `${id}-0 = {"key":"${key}"}`;

describe("dedupe", () => {
  it("asks once for what comes in one loop, each key once, and keeps the order", () => {
    const answers: Record<string, ClaimAnswer> = { "=a": taken, "=b": done, "=c": claimed };
    const run = new Run({ claim: (_ref, claims) => of(claims.map(({ name }) => answers[name]!)) });
    run.play(10, { 0: () => run.feed("a", "b", "c", "a", "b") });
    expect(run.asked).toEqual([["=a", "=b", "=c"]]);
    expect(run.seen).toEqual([passes(1, "a"), duplicate(2), release(3), release(4), duplicate(5)]);
  });

  it("collects for the next question what comes during one, settled items in their place", () => {
    const run = new Run({ claim: (_ref, claims) => timer(10).pipe(map(() => claims.map(() => taken))) });
    run.play(40, {
      0: () => run.feed("a"),
      3: () => run.feed("b"),
      4: () => run.input.next(settle.ack(run.source.one("50-0"), "filtered")),
      5: () => run.feed("c"),
    });
    expect(run.asked).toEqual([["=a"], ["=b", "=c"]]);
    expect(run.seen).toEqual([passes(1, "a"), passes(2, "b"), "50-0 ack filtered", passes(3, "c")]);
    expect(run.recording.times).toEqual([10, 20, 20, 20]);
  });

  it("asks for a large page in several questions, and lets pass in order what is answered out of order", () => {
    const slowFirst = (first: string | undefined): number => (first === "=k0" ? 20 : 10);
    const run = new Run({ claim: (_ref, claims) => timer(slowFirst(claims[0]?.name)).pipe(map(() => claims.map(() => taken))) });
    const keys = Array.from({ length: 700 }, (_, index) => `k${index}`);
    const more = Array.from({ length: 200 }, (_, index) => `m${index}`);
    run.play(40, {
      0: () => run.feed(...keys, "k0", "k600"),
      4: () => run.feed("late"), // alone it waits; with others it does not
      5: () => run.feed(...more),
      15: () => run.feed("m0"),
    });
    expect(run.asked.map(({ length }) => length)).toEqual([500, 200, 201]);
    const all = [...keys.map((key, index) => passes(index + 1, key)), release(701), release(702), passes(703, "late")];
    expect(run.seen).toEqual([...all, ...more.map((key, index) => passes(index + 704, key)), release(904)]);
    expect(new Set(run.recording.times)).toEqual(new Set([20]));
  });

  it("passes settled items on at once while it asks nothing", () => {
    const run = new Run();
    run.play(5, { 0: () => run.input.next(settle.release(run.source.one("1-0"))) });
    expect(run.seen).toEqual([release(1)]);
    expect(run.asked).toEqual([]);
  });

  it("sets a repeat aside while the first is in flight here, and knows without asking when it is done or not", () => {
    const run = new Run();
    run.play(60, {
      0: () => run.feed("a", "b"),
      10: () => run.feed("a", "b"),
      20: () => run.settle(0, true),
      21: () => run.settle(1, false),
      30: () => run.feed("a", "b"),
    });
    expect(run.seen).toEqual([passes(1, "a"), passes(2, "b"), release(3), release(4), duplicate(5), passes(6, "b")]);
    expect(run.recording.values[2]).toMatchObject({ settlement: { _tag: "Release", delayMs: 1_000 } });
    expect(run.asked).toEqual([["=a", "=b"], ["=b"]]);
  });

  it("forgets what it knows by itself when the key is forgotten in Redis, and the oldest beyond maxLocal", () => {
    const run = new Run({ claim: (_ref, claims) => of(claims.map(() => done)) }, { maxLocal: 2 });
    run.play(1_000, {
      0: () => run.feed("a", "b", "c"),
      1: () => run.feed("c", "b", "a"),
      2: () => run.feed("c", "a"),
      600: () => run.feed("a"),
    });
    expect(run.asked).toEqual([["=a", "=b", "=c"], ["=a"], ["=c"], ["=a"]]);
    expect(run.seen.every((each) => each.endsWith("ack duplicate"))).toBe(true);
  });

  it("remembers nothing with maxLocal 0", () => {
    const run = new Run({ claim: (_ref, claims) => of(claims.map(() => done)) }, { maxLocal: 0 });
    run.play(10, { 0: () => run.feed("a"), 1: () => run.feed("a") });
    expect(run.asked).toEqual([["=a"], ["=a"]]);
  });

  it("lets an entry that comes again after its lease was lost have its key", () => {
    const run = new Run();
    run.play(20, {
      0: () => run.feed("a"),
      5: () => run.source.lose(heldBy(deliveryOf(run.recording.values[0]!))),
      6: () => run.input.next(run.source.one("1-0", { key: "a" }, 2)),
    });
    expect(run.seen).toEqual([passes(1, "a"), passes(1, "a")]);
    const [first, second] = run.port.argsOf("claim").map(([, claims]) => (claims as { holder: string }[])[0]!.holder);
    expect(first).toBe(second);
  });

  it("renews the claims of what is in flight at a third of claimMs, and no others", () => {
    const run = new Run({}, { claimMs: 300 });
    run.play(350, { 0: () => run.feed("a", "b"), 150: () => run.settle(0, true), 250: () => run.settle(1, false) });
    expect(run.questions("renew")).toEqual([["=a", "=b"], ["=b"]]);
    expect(run.port.argsOf("claim").every(([, , , claimMs]) => claimMs === 300)).toBe(true);
  });

  it("asks again after trouble that heals, tells the source why nothing moves, and errors with what can't heal", () => {
    const oom = new Error("OOM command not allowed when used memory > 'maxmemory'.");
    const healing = new Run({ claim: inTurn<Observable<readonly ClaimAnswer[]>>(() => throwError(() => oom), () => of([taken])) }); // prettier-ignore
    const causes = record(healing.source.ledger.hindrances);
    healing.play(200, { 0: () => healing.feed("a") });
    causes.stop();
    expect([healing.seen, causes.values]).toEqual([[passes(1, "a")], [oom]]);
    const broken = new Run({ claim: () => throwError(() => new Error("WRONGTYPE Operation against a key")) });
    broken.play(10, { 0: () => broken.feed("a") });
    expect(broken.recording.error).toMatchObject({ _tag: "WrongTypeError" });
    expect(broken.port.open.commands).toBe(0);
  });

  it("goes on after a renewal that failed", () => {
    const run = new Run(
      {
        claim: (_ref, claims, how) =>
          how === "renew" ? throwError(() => new Error("Connection is closed.")) : of(claims.map(() => taken)),
      },
      { claimMs: 300 },
    );
    run.play(250, { 0: () => run.feed("a"), 220: () => run.feed("b") });
    expect(run.seen).toHaveLength(2);
    expect(run.questions("renew")).toHaveLength(2);
  });

  it("hands back what waits for an answer when its source is over, and completes", () => {
    const run = new Run({ claim: () => NEVER });
    run.play(100, { 0: () => run.feed("a", "b"), 10: () => run.source.ledger.abandon(new Error("over")), 20: () => run.input.complete() });
    expect(run.seen).toEqual([release(1), release(2)]);
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 20 });
  });

  it("waits for the answer before it completes; an error passes at once", () => {
    const slow: Answers = { claim: (_ref, claims) => timer(10).pipe(map(() => claims.map(() => taken))) };
    const run = new Run(slow);
    run.play(100, { 0: () => run.feed("a"), 1: () => run.input.complete() });
    expect(run.recording).toMatchObject({ ended: "complete", endedAt: 10, times: [10] });
    const failing = new Run(slow);
    failing.play(100, { 0: () => failing.feed("a"), 1: () => failing.input.error("broken") });
    expect(failing.recording).toMatchObject({ ended: "error", endedAt: 1, error: "broken", values: [] });
  });

  it("asks per stream and per group", () => {
    const run = new Run();
    const other = new TestSource({ stream: "returns", group: "audit" }, run.source.ledger);
    run.play(10, {
      0: () => {
        run.feed("a");
        run.input.next(other.one("9-0", { key: "a" }));
      },
    });
    expect(run.port.argsOf("claim").map(([ref]) => ref)).toEqual([{ stream: "orders", group: "shipping" }, { stream: "returns", group: "audit" }]); // prettier-ignore
    expect(run.seen).toHaveLength(2);
  });

  it.each<[string, () => string, string]>([
    ["throws", () => String(JSON.parse("{")), "JSON"],
    ["returns nothing", () => undefined as never, "got undefined"],
    ["returns an empty text", () => "", "not empty"],
  ])("settles a delivery as a dead letter when `key` %s", (_, key, reason) => {
    const run = new Run({}, { key });
    run.play(5, { 0: () => run.feed("a") });
    expect(run.seen[0]).toContain("1-0 dead ");
    expect(run.seen[0]).toContain(reason);
  });

  it("gets the value after `map`, and the delivery", () => {
    const port = new FakePort();
    const delivery = new TestSource().one("1-0").map(() => 7);
    const seen$ = of(delivery).pipe(dedupe(port.client, { key: (value: number, { id }) => `${value} ${id}`, ttlMs: 1 }));
    timeline({ 0: () => void record(seen$) });
    expect(port.argsOf("claim")[0]![1]).toMatchObject([{ name: "=7 1-0" }]);
  });

  it("errors for deliveries without a group, and for a shared scope in another slot", () => {
    const port = new FakePort({ placeOf: (name) => name.length });
    const alone = record(of(new TestSource({ group: undefined, consumer: undefined }).one("1-0")).pipe(dedupe(port.client, options)));
    expect(alone.error).toBeInstanceOf(TypeError);
    const elsewhere = record(of(new TestSource().one("1-0")).pipe(dedupe(port.client, { ...options, scope: "payments" })));
    expect(elsewhere.error).toMatchObject({
      _tag: "CommandError",
      message: expect.stringContaining('have to be named "{payments}:…"') as string,
    });
    const beside = dedupe<Fields>(port.client, { ...options, scope: "stream" })(of(new TestSource().one("1-0")));
    let error: unknown;
    timeline({ 0: () => void beside.subscribe({ error: (thrown: unknown) => (error = thrown) }) });
    expect(error).toBeUndefined();
  });

  it("sends its marks with the decisions: done with an ack, given back with any other", () => {
    const port = new FakePort();
    const source = new TestSource();
    const [a, b, c] = ["a", "b", "c"].map((key, index) => source.one(`${index + 1}-0`, { key }));
    const input = new Subject<Item>();
    const receipts = record(input.pipe(dedupe(port.client, options), concatMap((item) => (item._tag === "Delivery" && item.value["key"] === "b" ? of(settle.retry(item, { delayMs: 5 })) : of(item))), acknowledge(port.client))); // prettier-ignore
    timeline({ 0: () => from([a!, b!, c!]).subscribe((item) => input.next(item)), 50: () => receipts.stop() });
    const claims = (name: string): object[] => [{ name, ttlMs: 10_000, scope: { _tag: "group" } }];
    expect(port.settles.flatMap(({ decisions }) => decisions)).toMatchObject([
      { verb: "ack", id: "1-0", claims: claims("=a") },
      { verb: "retry", id: "2-0", claims: claims("=b") },
      { verb: "ack", id: "3-0", claims: claims("=c") },
    ]);
    expect(port.argsOf("ack")).toEqual([]);
  });

  it("is empty when the source is, never when it never emits, and errors when it does; it closes its connection", () => {
    const port = new FakePort();
    marbles(({ expectObservable }) => {
      expectObservable(EMPTY.pipe(dedupe(port.client, options))).toBe("|");
      expectObservable(NEVER.pipe(dedupe(port.client, options)), "^--!").toBe("-");
      expectObservable(throwError(() => "error").pipe(dedupe(port.client, options))).toBe("#");
    });
    expect(port.open.commands).toBe(0);
  });

  it.each<[Partial<DedupeOptions<Fields>>, string]>([
    [{ key: "id" as never }, "`key`"],
    [{ ttlMs: 0 }, "`ttlMs`"],
    [{ claimMs: 299 }, "`claimMs`"],
    [{ waitMs: 0 }, "`waitMs`"],
    [{ maxLocal: -1 }, "`maxLocal`"],
    [{ scope: "" }, "`scope`"],
    [{ scope: "a}b" }, "`scope`"],
  ])("refuses %j at call time", (bad, message) => {
    expect(() => dedupe(new FakePort().client, { ...options, ...bad })).toThrow(message);
  });
});

import { from, map, NEVER, of, Subject, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppendStatus } from "../../src/model/append-status.js";
import type { EntryId } from "../../src/model/entry-id.js";
import type { AppendRequest, Outage } from "../../src/redis/port.js";
import { appendAll } from "../../src/sinks/append-all.js";
import { appendTo, type AppendOptions } from "../../src/sinks/append-to.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import { marbles, record, timeline } from "../support/virtual-time.js";

const options = { stream: "orders", fields: (n: unknown) => ({ n: String(n) }) };

/** A server that takes 10 ms for a write, and numbers entries from 1 on. */
function server(failures: readonly string[] = []): { port: FakePort; batches: string[][] } {
  const left = [...failures];
  const batches: string[][] = [];
  let seq = 0;
  const append = (_stream: string, { entries }: AppendRequest): Observable<readonly EntryId[]> => {
    const failure = left.shift();
    if (failure !== undefined) return throwError(() => new Error(failure));
    batches.push(entries.map(({ pairs }) => String(pairs[1])));
    return timer(10).pipe(map(() => entries.map(() => `${(seq += 1)}-0` as EntryId)));
  };
  return { port: new FakePort({ appends: { append } }), batches };
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("appendTo", () => {
  it("writes the first at once, and what comes meanwhile in the next write", () => {
    const { port, batches } = server();
    marbles(({ hot, expectSubscriptions, flush }) => {
      const source = hot("a-bc---------d----|");
      const seen = record(source.pipe(appendTo(port.client, options)));
      expectSubscriptions(source.subscriptions).toBe("^-----------------!");
      flush();
      expect(seen).toMatchObject({ values: ["1-0", "2-0", "3-0", "4-0"], times: [10, 20, 20, 30], ended: "complete", endedAt: 30 });
    });
    expect(batches).toEqual([["a"], ["b", "c"], ["d"]]);
    expect(port.open.commands).toBe(0);
  });

  it.each(["", "|", "#"])("passes an end without values: %s", (end) => {
    const { port } = server();
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold(end === "" ? "-" : `--${end}`).pipe(appendTo(port.client, options)), "-----!").toBe(
        end === "" ? "-" : `--${end}`,
      );
    });
    expect(port.open.commands).toBe(0);
    expect(port.sent).toEqual([]);
  });

  it("passes an error of the source when what came before it is confirmed", () => {
    const { port } = server();
    const source = new Subject<number>();
    const seen = { current: record(NEVER as Observable<string>) };
    timeline({
      0: () => (seen.current = record(source.pipe(appendTo(port.client, options)))),
      1: () => source.next(1),
      2: () => source.next(2),
      3: () => source.error(new Error("no more")),
    });
    expect(seen.current).toMatchObject({ values: ["1-0", "2-0"], ended: "error", endedAt: 21, error: new Error("no more") });
    expect(port.open.commands).toBe(0);
  });

  it.each<readonly [string, Partial<AppendOptions<number>>, RegExp]>([
    ["a bad field", { fields: (n) => ({ n: n === 2 ? (undefined as never) : n }) }, /^Expected field `n`/],
    ["`fields` that throws", { fields: (n) => (n === 2 ? fail("fields") : { n }) }, /^fields$/],
    ["`stream` that throws", { stream: (n) => (n === 2 ? fail("stream") : "orders") }, /^stream$/],
    ["an empty stream", { stream: (n) => (n === 2 ? "" : "orders") }, /^Expected `stream`/],
    ["`idempotencyKey` that throws", { idempotencyKey: (n) => (n === 2 ? fail("key") : "k") }, /^key$/],
    ["an empty key", { idempotencyKey: (n) => (n === 2 ? "" : "k") }, /^Expected `idempotencyKey` to be a string that is not empty/],
  ])("ends with %s, after what came before", (_what, more, message) => {
    const { port } = server();
    let seen = record(NEVER as Observable<string>);
    timeline({ 0: () => (seen = record(from([1, 2, 3]).pipe(appendTo(port.client, { ...options, ...more } as typeof options)))) });
    expect(seen).toMatchObject({ values: ["1-0"], ended: "error" });
    expect((seen.error as Error).message).toMatch(message);
  });

  it("tries again for ever, from where it stopped, and says so", () => {
    const { port, batches } = server(["OOM command not allowed", "LOADING", "Connection is closed."]);
    const statuses: AppendStatus[] = [];
    let seen = record(NEVER as Observable<string>);
    const status = { next: (each: AppendStatus) => void statuses.push(each) };
    timeline({ 0: () => (seen = record(from([1, 2]).pipe(appendTo(port.client, { ...options, status })))) });
    expect(port.timesOf("append")).toEqual([0, 38, 113, 263, 273]);
    expect(batches).toEqual([["1"], ["2"]]);
    expect(seen).toMatchObject({ values: ["1-0", "2-0"], ended: "complete" });
    expect(statuses.map((each) => (each._tag === "hindered" ? each.attempt : each._tag))).toEqual([1, 2, 3, "appending"]);
  });

  it("sends the rest of a write that stopped half-way, before anything else", () => {
    let isFirst = true;
    const append = (_stream: string, { entries }: AppendRequest): Observable<readonly EntryId[]> => {
      const count = isFirst && entries.length > 1 ? 2 : entries.length;
      if (entries.length > 1) isFirst = false;
      return timer(1).pipe(map(() => entries.slice(0, count).map(({ pairs }) => `${String(pairs[1])}-0` as EntryId)));
    };
    const port = new FakePort({ appends: { append } });
    let seen = record(NEVER as Observable<string>);
    timeline({ 0: () => (seen = record(from([1, 2, 3, 4, 5]).pipe(appendTo(port.client, options)))) });
    expect(seen.values).toEqual(["1-0", "2-0", "3-0", "4-0", "5-0"]);
    const sizes = port.argsOf("append").map(([, request]) => (request as AppendRequest).entries.length);
    expect(sizes).toEqual([1, 4, 2]);
  });

  it.each([
    ["WRONGTYPE Operation against a key", "WrongTypeError"],
    ["NOPERM this user has no permissions", "AccessError"],
  ])("ends with what can't heal: %s", (message, tag) => {
    const { port } = server([message]);
    expect(record(of(1).pipe(appendTo(port.client, options)))).toMatchObject({ ended: "error", error: { _tag: tag } });
    expect(port.open.commands).toBe(0);
  });

  it("keeps a write below `maxBatch` entries and about a megabyte", () => {
    const { port, batches } = server();
    timeline({ 0: () => record(from(Array.from({ length: 8 }, (_, n) => n)).pipe(appendTo(port.client, { ...options, maxBatch: 3 }))) });
    expect(batches.map(({ length }) => length)).toEqual([1, 3, 3, 1]);
    const large = server();
    const fields = (): { n: string } => ({ n: "x".repeat(400_000) });
    timeline({ 0: () => record(from([0, 1, 2, 3, 4, 5]).pipe(appendTo(large.port.client, { ...options, fields }))) });
    expect(large.batches.map(({ length }) => length)).toEqual([1, 3, 2]);
  });

  it("says that the connection broke, and that it goes on", () => {
    const broken = new Subject<Outage>();
    const statuses: string[] = [];
    const append = (): Observable<readonly EntryId[]> => timer(10).pipe(map(() => ["1-0" as EntryId]));
    const port = new FakePort({ appends: { append, broken } });
    const status = { next: ({ _tag }: AppendStatus) => void statuses.push(_tag) };
    timeline({
      0: () => record(of(1).pipe(appendTo(port.client, { ...options, status }))),
      5: () => broken.next({ attempt: 1, delayMs: 50, cause: new Error("reset") }),
    });
    expect(statuses).toEqual(["reconnecting", "appending"]);
  });

  it("drops what waits when it is unsubscribed, and closes its connection", () => {
    const { port, batches } = server();
    let seen = record(NEVER as Observable<string>);
    timeline({ 0: () => (seen = record(from([1, 2, 3]).pipe(appendTo(port.client, options)))), 5: () => seen.stop() });
    expect(seen.values).toEqual([]);
    expect(batches).toEqual([["1"]]);
    expect(port.open.commands).toBe(0);
  });

  it.each<readonly [Record<string, unknown>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ stream: 5 }, /^Expected `stream` to be a string/],
    [{ stream: "a}", idempotencyKey: () => "k" }, /^Expected `stream` to have a whole hash tag/],
    [{ fields: {} }, /^Expected `fields` to be a function/],
    [{ maxBatch: 0 }, /^Expected `maxBatch` to be an integer from 1 to 1000/],
    [{ idempotencyMs: 999 }, /^Expected `idempotencyMs`/],
    [{ idempotencyKey: "k" }, /^Expected `idempotencyKey` to be a function/],
    [{ onMissingStream: "make" }, /^Expected `onMissingStream` to be one of "create", "fail"/],
    [{ traceContext: {} }, /^Expected `traceContext` to be a function/],
    [{ maxLen: 1, minId: "1" }, /got both/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => appendTo(new FakePort().client, { ...options, ...wrong })).toThrow(message);
  });
});

describe("appendAll", () => {
  function counting(length: number): { values: Iterable<number>; taken: () => number; isEnded: () => boolean } {
    let taken = 0;
    let isEnded = false;
    function* numbers(): Generator<number> {
      try {
        while (taken < length) yield (taken += 1);
      } finally {
        isEnded = true;
      }
    }
    return { values: numbers(), taken: () => taken, isEnded: () => isEnded };
  }
  const all: Answers["appends"] = {
    append: (_stream, { entries }) => timer(10).pipe(map(() => entries.map(({ pairs }) => `${String(pairs[1])}-0` as EntryId))),
  };

  it("takes two writes' worth, and one more for each that is confirmed", () => {
    const port = new FakePort({ appends: all });
    const { values, taken } = counting(100);
    const steps: number[] = [];
    let seen = record(NEVER as Observable<string>);
    timeline({
      0: () => (seen = record(appendAll(port.client, values, { ...options, maxBatch: 2 }))),
      5: () => steps.push(taken()),
      15: () => steps.push(taken()),
      25: () => steps.push(taken()),
    });
    expect(steps).toEqual([4, 5, 7]);
    expect(seen).toMatchObject({ ended: "complete" });
    expect(seen.values).toHaveLength(100);
  });

  it("ends with an error of the iterable, after what came before", () => {
    const port = new FakePort({ appends: all });
    let seen = record(NEVER as Observable<string>);
    function* broken(): Generator<number> {
      yield 1;
      throw new Error("torn");
    }
    timeline({ 0: () => (seen = record(appendAll(port.client, broken(), options))) });
    expect(seen).toMatchObject({ values: ["1-0"], ended: "error", error: new Error("torn") });
  });

  it("tells the iterator to end when nobody listens, and when a value is bad", () => {
    const port = new FakePort({ appends: all });
    const one = counting(1_000);
    let seen = record(NEVER as Observable<string>);
    timeline({ 0: () => (seen = record(appendAll(port.client, one.values, options))), 5: () => seen.stop() });
    expect(one.isEnded()).toBe(true);
    const other = counting(1_000);
    const fields = (n: number): { n: number } => (n === 3 ? fail("bad") : { n });
    timeline({ 0: () => (seen = record(appendAll(port.client, other.values, { ...options, fields }))) });
    expect(seen).toMatchObject({ values: ["1-0", "2-0"], ended: "error" });
    expect(other.isEnded()).toBe(true);
    expect(port.open.commands).toBe(0);
  });

  it("takes async iterables one by one, and hears of their errors", async () => {
    async function* some(): AsyncGenerator<number> {
      yield 1;
      yield Promise.resolve(2);
      throw new Error("torn");
    }
    const seen: string[] = [];
    const error = await new Promise((resolve) =>
      appendAll(new FakePort({ appends: all }).client, some(), options).subscribe({ next: (id) => seen.push(id), error: resolve }),
    );
    expect([seen, error]).toEqual([["1-0", "2-0"], new Error("torn")]);
  });

  it("takes nothing else", () => {
    expect(() => appendAll(new FakePort().client, of(1) as never, options)).toThrow(/^Expected `values` to be an iterable/);
  });
});

function fail(message: string): never {
  throw new Error(message);
}

import { lastValueFrom, map, toArray } from "rxjs";
import {
  bufferAck,
  decode,
  dedupe,
  fixed,
  fromDeadLetters,
  fromGroup,
  handOff,
  retryToDLQ,
  settle,
  type Effect,
  type HandOffReceipt,
  type OutputRecord,
} from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import {
  afterwards,
  expectNoConnections,
  helperKeys,
  recordCommands,
  StatusLog,
  total,
  workbench,
  type Workbench,
} from "../support/workbench.js";

const Numbered = z.object({ n: z.coerce.number() });

/** A bench with a key beside its stream, by name; they are removed after the test. */
function handOffBench(url?: string): Workbench & { readonly key: (name: string) => string } {
  const bench = workbench(url);
  const key = (name: string): string => `{${bench.stream}}:${name}`;
  afterwards(async () => {
    const keys = await bench.redis.keys(key("*")).catch(() => []);
    if (keys.length > 0) await bench.redis.del(...keys).catch(() => undefined);
  });
  return { ...bench, key };
}

const outputsOf = async (redis: Redis, stream: string): Promise<string[][]> =>
  (await redis.xrange(stream, "-", "+")).map(([, pairs]) => pairs);

const sumOutputs = (receipts: readonly HandOffReceipt[]): number => receipts.reduce((sum, { outputs }) => sum + outputs, 0);

describe("handOff", () => {
  it("writes none, one or many outputs per entry, to one or several streams, and acknowledges, in order", async () => {
    const { redis, stream, group, add, pending, run, key } = handOffBench();
    await add(6);
    const commands = await recordCommands(redis, stream);
    const stop = new AbortController();
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", signal: stop.signal }).pipe(
        decode(Numbered),
        bufferAck({ maxSize: 6, maxWaitMs: 1_000 }),
        handOff(redis, {
          to: ({ kind }) => key(String(kind)),
          fields: ({ n }, { id }) =>
            Array.from({ length: n % 3 }, (_, copy) => ({ kind: copy === 0 ? "one" : "other", n, copy, from: id })),
        }),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 6, "all are acknowledged");
    expect(await pending()).toBe(0);
    expect((await outputsOf(redis, key("one"))).map((pairs) => pairs.slice(2, 6).join(" "))).toEqual([
      "n 1 copy 0",
      "n 2 copy 0",
      "n 4 copy 0",
      "n 5 copy 0",
    ]);
    expect((await outputsOf(redis, key("other"))).map((pairs) => pairs.slice(2, 6).join(" "))).toEqual(["n 2 copy 1", "n 5 copy 1"]);
    expect(sumOutputs(pipeline.values)).toBe(6);
    expect(commands.filter((words) => words[0] === "evalsha" && words.includes("XADD"))).toHaveLength(1);
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    await expectNoConnections(redis);
  });

  it("is one plain XACK where nothing is written", async () => {
    const { redis, stream, group, add, run, key } = handOffBench();
    await add(20);
    const commands = await recordCommands(redis, stream);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        bufferAck({ maxSize: 20, maxWaitMs: 1_000 }),
        handOff(redis, { to: key("out"), fields: () => [] }),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 20, "all are acknowledged");
    expect(commands.filter(([name]) => name === "xack")).toHaveLength(1);
    expect(commands.filter((words) => words[0]?.startsWith("eval") && words.includes("ack"))).toEqual([]);
  });

  it("changes hashes, counters, sets and sorted sets with the entry, in order, from single deliveries", async () => {
    const { redis, stream, group, add, run, key } = handOffBench();
    await redis.sadd(key("open"), "1", "2");
    await add(10, (n) => ({ n: String(n) }));
    const effects = ({ n }: { n: number }): Effect[] => [
      { _tag: "HashSet", key: key("last"), fields: { n, gone: "x", bytes: new Uint8Array([255, 0]) } },
      { _tag: "HashDelete", key: key("last"), fields: ["gone"] },
      { _tag: "HashIncrement", key: key("totals"), field: "sum", by: n },
      { _tag: "CounterIncrement", key: key("count") },
      { _tag: "CounterIncrement", key: key("count"), by: -3n },
      { _tag: "SetAdd", key: key("seen"), members: [n % 2] },
      { _tag: "SetRemove", key: key("open"), members: [String(n)] },
      { _tag: "ScoreIncrement", key: key("scores"), member: `m${n % 2}`, by: 0.5 },
    ];
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0" }).pipe(decode(Numbered), handOff(redis, { effects })));
    await until(() => total(pipeline.values, "acked") === 10, "all are acknowledged");
    expect(await redis.hgetall(key("totals"))).toEqual({ sum: "45" });
    expect(await redis.get(key("count"))).toBe("-20");
    expect((await redis.smembers(key("seen"))).sort()).toEqual(["0", "1"]);
    expect(await redis.exists(key("open"))).toBe(0);
    expect(await redis.zscore(key("scores"), "m1")).toBe("2.5");
    expect(await redis.hkeys(key("last"))).toEqual(["n", "bytes"]);
    expect(await redis.hgetBuffer(key("last"), "bytes")).toEqual(Buffer.from([255, 0]));
    expect(sumOutputs(pipeline.values)).toBe(0);
  });

  it("carries out the decisions that reach it, with the marks of dedupe, and hands on open deliveries alone", async () => {
    const { redis, stream, group, add, run, key, deadLetters } = handOffBench();
    await add(7, (n) => ({ n: String(n === 6 ? 0 : n) }));
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", recover: false }).pipe(
        decode(Numbered),
        dedupe(redis, { key: ({ n }) => String(n), ttlMs: 60_000 }),
        map((item) => {
          if (item._tag === "Settled") return item;
          const { n } = item.value;
          if (n === 1) return settle.retry(item, { delayMs: 60_000 });
          if (n === 2) return settle.deadLetter(item, new Error("no"));
          if (n === 3) return settle.release(item, { delayMs: 60_000 });
          return n === 4 ? settle.ack(item, "filtered") : item;
        }),
        bufferAck({ maxSize: 7, maxWaitMs: 1_000 }),
        handOff(redis, { to: key("out"), fields: ({ n }) => ({ n }) }),
      ),
    );
    await until(() => pipeline.values.length > 0, "the batch is confirmed");
    expect(pipeline.values[0]).toMatchObject({
      acked: 2,
      duplicates: 0,
      filtered: 1,
      retried: 1,
      deadLettered: 1,
      released: 2,
      outputs: 2,
      notPending: 0,
    });
    expect(await outputsOf(redis, key("out"))).toEqual([["n", "0"], ["n", "5"]]); // prettier-ignore
    expect(await deadLetters()).toHaveLength(1);
    expect((await redis.keys(key("dedupe:*"))).map((name) => name.slice(-1)).sort()).toEqual(["0", "4", "5"]);
    expect(await redis.zcard(helperKeys(stream, group)[1])).toBe(3);
  });

  it("makes dead letters of what can't be written, each with its reason", async () => {
    const { redis, stream, group, add, run, key } = handOffBench();
    await add(8);
    const bad: unknown[] = [undefined, null, { field: undefined }, { field: null }, {}, { field: NaN }, Promise.resolve({ n: 1 })];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        decode(Numbered),
        bufferAck(),
        handOff(redis, {
          to: key("out"),
          fields: ({ n }) => {
            if (n === 7) throw new TypeError("mine");
            return (bad as OutputRecord[])[n]!;
          },
          effects: () => [{ _tag: "CounterIncrement", key: key("count") }],
        }),
      ),
    );
    await until(() => total(pipeline.values, "deadLettered") === 8, "all are dead letters");
    expect([await redis.exists(key("out")), await redis.exists(key("count"))]).toEqual([0, 0]);
    const letters = await lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));
    expect(letters.map(({ cause }) => cause.message.replace(/^Expected /, ""))).toEqual([
      "`fields` to be a record, got undefined",
      "`fields` to be a record, got null",
      "`fields.field` to be text, a finite number or bytes, got undefined",
      "`fields.field` to be text, a finite number or bytes, got null",
      "`fields` to have a field at least: Redis has no empty entries",
      "`fields.field` to be text, a finite number or bytes, got NaN",
      "`fields` to be a record, got a promise: wait for it in a handler before this",
      "mine",
    ]);
  });

  it("takes outputs of thousands of fields and thousands of outputs in chunks, and trims", async () => {
    const { redis, stream, group, add, run, key } = handOffBench();
    await add(1_500);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 2_000 }).pipe(
        decode(Numbered),
        bufferAck({ maxSize: 1_500, maxWaitMs: 2_000 }),
        handOff(redis, {
          to: ({ wide }) => key(wide === undefined ? "out" : "wide"),
          fields: ({ n }) =>
            n === 7
              ? { wide: 1, ...Object.fromEntries(Array.from({ length: 3_499 }, (_, name) => [`f${name}`, name] as const)) }
              : [{ n }, { n }],
          maxLen: 500,
        }),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 1_500, "all are acknowledged");
    expect(sumOutputs(pipeline.values)).toBe(2_999);
    expect((await outputsOf(redis, key("wide")))[0]).toHaveLength(7_000);
    expect(await redis.xlen(key("out"))).toBeLessThan(1_000);
  });
});

describe("handOff is all or nothing", () => {
  it("writes nothing for what another consumer has claimed meanwhile", async () => {
    const { redis, stream, group, add, run, key } = handOffBench();
    const ids = await add(4);
    const finish: (() => void)[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(() => new Promise<void>((resolve) => finish.push(resolve)), { maxDeliveries: 5 }),
        bufferAck({ maxSize: 4 }),
        handOff(redis, { to: key("out"), fields: (_, { id }) => ({ id }) }),
      ),
    );
    await until(() => finish.length === 4, "all are being handled");
    await redis.xclaim(stream, group, "thief", 0, ids[1]!, ids[2]!);
    for (const resolve of finish) resolve();
    await until(() => total(pipeline.values, "acked") + total(pipeline.values, "notPending") === 4, "all are settled");
    expect(await outputsOf(redis, key("out"))).toEqual([["id", ids[0]], ["id", ids[3]]]); // prettier-ignore
    expect(pipeline.values.map(({ acked, notPending, outputs }) => ({ acked, notPending, outputs }))).toEqual([
      { acked: 2, notPending: 2, outputs: 2 },
    ]);
  });

  it("writes once when the reply is lost", async () => {
    const { redis, stream, group, add, pending, run, key } = handOffBench();
    const proxy = await startProxy(inject("redisUrl"));
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => proxy.close());
    afterwards(() => client.disconnect());
    await add(200);
    const cut = proxy.cutReplyWhen((request) => request.includes("XADD"));
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        bufferAck(),
        handOff(client, {
          to: key("out"),
          fields: ({ n = "" }) => ({ n }),
          effects: () => [{ _tag: "CounterIncrement", key: key("count") }],
        }),
      ),
    );
    await cut;
    await until(() => total(pipeline.values, "acked") + total(pipeline.values, "notPending") === 200, "all are settled");
    expect(await pending()).toBe(0);
    expect((await outputsOf(redis, key("out"))).map(([, n]) => Number(n)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, n) => n),
    );
    expect(await redis.get(key("count"))).toBe("200");
    expect(total(pipeline.values, "notPending")).toBeGreaterThan(0);
    expect(total(pipeline.values, "deadLettered")).toBe(0);
  });

  it.each<[string, (key: (name: string) => string, redis: Redis) => Promise<unknown>, string]>([
    ["the target is no stream", (key, redis) => redis.set(key("out"), "text"), "is not a stream"],
    ["a second target is no stream", (key, redis) => redis.set(key("out2"), "text"), "is not a stream"],
    ["a hash is no hash", (key, redis) => redis.set(key("totals"), "text"), "is not a hash"],
    ["a field is no number", (key, redis) => redis.hset(key("totals"), "late", "text"), "not an integer"],
    ["a counter would overflow", (key, redis) => redis.set(key("count2"), "9223372036854775807"), "overflow"],
  ])("leaves everything as it was, and ends with a reason, when %s", async (_, spoil, reason) => {
    const { redis, stream, group, add, pending, run, key } = handOffBench();
    await add(3);
    await spoil(key, redis);
    await redis.set(key("count"), "5");
    const before = await snapshot(redis, key);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        bufferAck({ maxSize: 3 }),
        handOff(redis, {
          to: ({ to }) => key(String(to)),
          fields: () => [{ to: "out" }, { to: "out2" }],
          effects: () => [
            { _tag: "CounterIncrement", key: key("count"), by: 7 },
            { _tag: "CounterIncrement", key: key("new"), by: -7 },
            { _tag: "HashIncrement", key: key("totals"), field: "early", by: 1 },
            { _tag: "ScoreIncrement", key: key("scores"), member: "m", by: 2 },
            { _tag: "HashIncrement", key: key("totals"), field: "late", by: 1 },
            { _tag: "CounterIncrement", key: key("count2"), by: 1 },
          ],
        }),
      ),
    );
    await until(() => pipeline.isDone, "it has ended");
    expect(pipeline.error).toMatchObject({ message: expect.stringContaining(reason) as string });
    expect(await snapshot(redis, key)).toEqual(before);
    await until(async () => (await pending()) === 3, "all are pending");
  });

  it("out of memory writes and acknowledges nothing, says so, and goes on when there is memory; acks alone go on", async () => {
    const server = await ownServer();
    const { redis, stream, group, add, pending, run, key, deadLetters } = handOffBench(server.url);
    await add(60);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.ping();
    const status = new StatusLog();
    await redis.config("SET", "maxmemory", "1");
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(
        decode(Numbered),
        map((item) => {
          if (item._tag === "Settled") return item;
          if (item.value.n % 3 === 1) return settle.deadLetter(item, new Error("no"));
          return item.value.n % 3 === 2 ? settle.ack(item, "filtered") : item;
        }),
        bufferAck({ maxSize: 60, maxWaitMs: 500 }),
        handOff(redis, { to: key("out"), fields: ({ n }) => ({ n }), effects: () => [{ _tag: "CounterIncrement", key: key("count") }] }),
      ),
    );
    await until(() => status.of("stalled").some(({ cause }) => String(cause).includes("OOM")), "it says why it stands still");
    expect([await redis.exists(key("out")), await redis.exists(key("count")), (await deadLetters()).length, await pending()]).toEqual([
      0, 0, 0, 40,
    ]);
    await redis.config("SET", "maxmemory", "0");
    await until(async () => pipeline.values.length > 0 && (await pending()) === 0, "all are settled");
    expect([await redis.xlen(key("out")), await redis.get(key("count")), (await deadLetters()).length]).toEqual([20, "20", 20]);
    expect(pipeline.values[0]).toMatchObject({ acked: 20, filtered: 20, deadLettered: 20, outputs: 20, notPending: 0 });
  });

  it("hands on what was in flight when the group was destroyed", async () => {
    const { redis, stream, group, add, pending, run, key } = handOffBench();
    await add(10);
    const finish: (() => void)[] = [];
    const status = new StatusLog();
    run(
      fromGroup(redis, { stream, group, startId: "0", blockMs: 500, status }).pipe(
        retryToDLQ(() => (finish.length < 10 ? new Promise<void>((resolve) => finish.push(resolve)) : undefined), {
          maxDeliveries: 5,
          backoff: fixed(10),
        }),
        bufferAck(),
        handOff(redis, { to: key("out"), fields: (_, { pairs }) => ({ n: pairs[1]! }) }),
      ),
    );
    await until(() => finish.length === 10, "all are being handled");
    await redis.xgroup("DESTROY", stream, group);
    for (const resolve of finish) resolve();
    await until(async () => (await redis.xlen(key("out"))) >= 10 && (await pending()) === 0, "all are handed on");
    expect((await outputsOf(redis, key("out"))).map(([, n]) => Number(n)).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(status.tags()).toContain("groupRecreated");
  });
});

describe("handOff refuses at call time", () => {
  const redis = new Redis({ lazyConnect: true });
  it.each<[object, string]>([
    [{}, "`to` and `fields`, or `effects`"],
    [{ to: "out" }, "`to` and `fields` together"],
    [{ fields: () => [] }, "`to` and `fields` together"],
    [{ to: "", fields: () => [] }, "`to`"],
    [{ to: "out", fields: 1 }, "`fields`"],
    [{ effects: 1 }, "`effects`"],
    [{ to: "out", fields: () => [], maxLen: 0 }, "`maxLen`"],
    [{ to: "out", fields: () => [], mode: "delete" }, "`mode`"],
  ])("%j", (options, message) => {
    expect(() => handOff(redis, options)).toThrow(message);
  });
});

/** All keys beside the stream with what they hold. */
async function snapshot(redis: Redis, key: (name: string) => string): Promise<Record<string, unknown>> {
  const names = (await redis.keys(key("*"))).filter((name) => !name.includes(":retry:")).sort();
  const entries = names.map(async (name) => {
    const type = await redis.type(name);
    if (type === "hash") return [name, await redis.hgetall(name)];
    return [name, type === "string" ? await redis.get(name) : `${type} ${String(await redis.call("object", "encoding", name))}`];
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<string, unknown>;
}

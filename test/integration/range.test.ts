import { acknowledge, bufferAck, fixed, fromRange, retryToDLQ, type FromRangeOptions } from "rxjs-redis-streams";
import { delay, lastValueFrom, tap, toArray } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, recordCommands, StatusLog, total, workbench, type Workbench } from "../support/workbench.js";

/** Entries `1-1`, `1-2`, `2-1`, `2-2` … `5-2`. */
async function history(): Promise<Workbench & { readonly read: (options?: Partial<FromRangeOptions>) => Promise<string[]> }> {
  const bench = workbench();
  const { redis, stream } = bench;
  for (const ms of [1, 2, 3, 4, 5]) for (const seq of [1, 2]) await redis.xadd(stream, `${ms}-${seq}`, "n", `${ms}.${seq}`);
  const read = async (options: Partial<FromRangeOptions> = {}): Promise<string[]> => {
    const ids: string[] = [];
    const source = fromRange(redis, { stream, ...options }).pipe(tap(({ id }) => ids.push(id)));
    await lastValueFrom(source.pipe(bufferAck({ maxWaitMs: 1 }), acknowledge(redis)), { defaultValue: undefined });
    return ids;
  };
  return { ...bench, read };
}

const all = [1, 2, 3, 4, 5].flatMap((ms) => [`${ms}-1`, `${ms}-2`]);

describe("fromRange", () => {
  it.each<[string, Partial<FromRangeOptions>, string[]]>([
    ["everything", {}, all],
    ["everything, in pages of three", { pageSize: 3 }, all],
    ["everything, one at a time", { maxInFlight: 1 }, all],
    ["ids, both included", { start: "2-2", end: "4-1" }, ["2-2", "3-1", "3-2", "4-1"]],
    ["ids, both excluded", { start: "(2-2", end: "(4-1" }, ["3-1", "3-2"]],
    ["times as numbers, whole milliseconds", { start: 2, end: 3 }, ["2-1", "2-2", "3-1", "3-2"]],
    ["times as dates", { start: new Date(4) }, ["4-1", "4-2", "5-1", "5-2"]],
    ["times as text, as in redis-cli", { end: "1" }, ["1-1", "1-2"]],
    ["the newest first", { reverse: true, pageSize: 4 }, [...all].reverse()],
    ["the newest first, within a range", { reverse: true, start: 2, end: "(3-2", pageSize: 2 }, ["3-1", "2-2", "2-1"]],
    ["the last three", { reverse: true, limit: 3, pageSize: 2 }, ["5-2", "5-1", "4-2"]],
    ["the first three", { limit: 3 }, ["1-1", "1-2", "2-1"]],
    ["nothing", { start: "7-0" }, []],
  ])("reads %s", async (_, options, expected) => {
    const { read } = await history();
    expect(await read(options)).toEqual(expected);
  });

  it("completes at once when the stream is missing", async () => {
    const { redis, stream } = workbench();
    expect(await lastValueFrom(fromRange(redis, { stream }).pipe(toArray()))).toEqual([]);
  });

  it("completes when the last delivery is settled, and never asks for more than there is credit for", async () => {
    const { redis, stream, run } = await history();
    const commands = await recordCommands(redis, stream);
    const status = new StatusLog();
    const begun = Date.now();
    const pipeline = run(fromRange(redis, { stream, maxInFlight: 6, status }).pipe(delay(150), bufferAck(), acknowledge(redis)));
    await until(() => pipeline.isDone, "it has completed");
    expect(Date.now() - begun).toBeGreaterThan(290);
    expect(total(pipeline.values, "acked")).toBe(10);
    expect(status.tags().slice(-2)).toEqual(["draining", "stopped"]);
    const counts = commands.filter(([name]) => name === "xrange").map((words) => Number(words.at(-1)));
    expect(Math.max(...counts)).toBe(6);
    expect(new Set(commands.map(([name]) => name))).toEqual(new Set(["xrange"]));
  });

  it("includes what is added in the range while it reads", async () => {
    const { redis, stream, read } = await history();
    const adding = fromRange(redis, { stream, maxInFlight: 1 }).pipe(
      tap(({ id }) => id === "5-1" && void redis.xadd(stream, "6-1", "n", "late")),
      delay(5),
      acknowledge(redis),
    );
    expect((await lastValueFrom(adding.pipe(toArray()))).length).toBe(11);
    expect(await read({ start: "(5-2" })).toEqual(["6-1"]);
  });

  it("delivers a failed entry again before it completes, and moves it aside in the end", async () => {
    const { redis, stream, run } = await history();
    afterwards(() => redis.del(`{${stream}}:dlq`));
    const counts: number[] = [];
    const pipeline = run(
      fromRange(redis, { stream }).pipe(
        retryToDLQ(({ n }, { deliveryCount }) => n === "3.1" && (counts.push(deliveryCount), Promise.reject(new Error("no"))), {
          maxDeliveries: 3,
          backoff: fixed(20),
        }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => pipeline.isDone, "it has completed");
    expect(counts).toEqual([1, 2, 3]);
    expect([total(pipeline.values, "acked"), total(pipeline.values, "deadLettered")]).toEqual([9, 1]);
    expect(await redis.xlen(`{${stream}}:dlq`)).toBe(1);
  });

  it("goes on where it was when the connection breaks: every entry once", async () => {
    const { redis, stream, add, run } = workbench();
    const ids = await add(500);
    const proxy = await startProxy(inject("redisUrl"));
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => proxy.close());
    afterwards(() => client.disconnect());
    const seen: string[] = [];
    const status = new StatusLog();
    const pipeline = run(
      fromRange(client, { stream, pageSize: 100, status }).pipe(
        tap(({ id }) => seen.push(id) % 150 === 0 && proxy.reset()),
        bufferAck({ maxWaitMs: 1 }),
        acknowledge(redis),
      ),
    );
    await until(() => pipeline.isDone, "it has completed");
    expect(seen).toEqual(ids);
    expect(status.tags()).toContain("reconnecting");
  });

  it("drains: reads no further, and completes", async () => {
    const { redis, stream, run } = await history();
    const stop = new AbortController();
    const pipeline = run(
      fromRange(redis, { stream, maxInFlight: 2, signal: stop.signal }).pipe(
        tap(() => stop.abort()),
        delay(20),
        acknowledge(redis),
      ),
    );
    await until(() => pipeline.isDone, "it has completed");
    expect(total(pipeline.values, "acked")).toBe(2);
  });

  it("ends with WrongTypeError when the key is no stream", async () => {
    const { redis, stream, run } = workbench();
    await redis.set(stream, "text");
    const pipeline = run(fromRange(redis, { stream }));
    await until(() => pipeline.isDone, "the pipeline has ended");
    expect(pipeline.error).toMatchObject({ _tag: "WrongTypeError" });
  });
});

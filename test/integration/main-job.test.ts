import { randomBytes } from "node:crypto";
import { map, mergeMap, toArray, lastValueFrom } from "rxjs";
import { acknowledge, bufferAck, decode, fixed, fromDeadLetters, fromGroup, json, retryToDLQ, settle } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { until } from "../support/until.js";
import { expectNoConnections, helperKeys, recordCommands, StatusLog, total, workbench } from "../support/workbench.js";

const Order = z.object({ n: z.coerce.number() });

describe("fromGroup → decode → retryToDLQ → bufferAck → acknowledge", () => {
  it("handles every entry once, and leaves nothing pending", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(5_000);
    const handled: number[] = [];
    const stop = new AbortController();
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", signal: stop.signal }).pipe(
        decode(Order),
        retryToDLQ(({ n }) => void handled.push(n), { maxDeliveries: 3 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => handled.length === 5_000 && (await pending()) === 0, "all entries are acknowledged");
    stop.abort();
    await until(() => pipeline.isDone, "the pipeline has drained");

    expect(pipeline.error).toBeUndefined();
    expect(new Set(handled).size).toBe(5_000);
    expect(handled).toEqual([...handled].sort((one, other) => one - other));
    expect(total(pipeline.values, "acked")).toBe(5_000);
    expect(await redis.xinfo("CONSUMERS", stream, group)).toEqual([]);
    await expectNoConnections(redis);
  });

  it("retries what fails by Redis' count, and moves what always fails, byte for byte", async () => {
    const { redis, stream, group, pending, deadLetters, run } = workbench();
    const bytes = randomBytes(64);
    await redis.xadd(stream, "*", "kind", "once", "dead-letter", "just data", "kind", "repeated");
    const bad = (await redis.xadd(stream, "*", "kind", "always", "blob", bytes, "blob", "2", "__proto__", "x")) ?? "";
    const attempts: string[] = [];
    const handler = (fields: Record<string, string>, { deliveryCount }: { deliveryCount: number }): void => {
      attempts.push(`${fields["kind"]} ${deliveryCount}`);
      if (fields["kind"] === "always" || deliveryCount === 1) throw new TypeError("not today");
    };
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(handler, { maxDeliveries: 3, backoff: fixed(20) }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "one is handled and one is dead");

    expect(attempts.sort()).toEqual(["always 1", "always 2", "always 3", "repeated 1", "repeated 2"]);
    const [copy] = await redis.xrangeBuffer(helperKeys(stream, group)[0], "-", "+");
    const [original] = await redis.xrangeBuffer(stream, bad, bad);
    expect(copy![1].slice(2)).toEqual(original![1]);
    expect(await redis.exists(helperKeys(stream, group)[1])).toBe(0);
    const [letter] = await lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));
    expect(letter).toMatchObject({
      origin: { stream, group, id: bad },
      cause: { name: "TypeError", message: "not today" },
      deliveryCount: 3,
    });
    expect(Math.abs((letter?.failedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("moves an entry that can't be decoded to the dead letters with its reason, and goes on", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(1, () => ({ payload: "{not json" }));
    await add(1, () => ({ payload: '{"n":"x"}' }));
    await add(1, () => ({ other: "field" }));
    await add(1, () => ({ payload: '{"n":4}' }));
    const seen: number[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        decode(json("payload", z.object({ n: z.number() }))),
        retryToDLQ(({ n }) => void seen.push(n), { maxDeliveries: 2 }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 3 && (await pending()) === 0, "three are dead and one is handled");
    expect(seen).toEqual([4]);
    const letters = await lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));
    expect(letters.map(({ cause }) => cause.name)).toEqual(["DecodeError", "DecodeError", "DecodeError"]);
    expect(letters[1]?.cause.message).toContain("n:");
    expect(letters[0]?.fields["payload"]).toBe("{not json");
  });

  it("carries out a mixed batch in one script, and counts each delivery once", async () => {
    const { redis, stream, group, add, pending, pendingRows, run } = workbench();
    const ids = await add(6);
    const commands = await recordCommands(redis, stream);
    const decide = [settle.ack, (d: never) => settle.ack(d, "duplicate"), (d: never) => settle.ack(d, "filtered")];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", recover: false }).pipe(
        map((delivery) => {
          const n = Number(delivery.value["n"]);
          if (n < 3) return decide[n]!(delivery as never);
          if (n === 3) return settle.retry(delivery, { delayMs: 60_000 });
          return n === 4 ? settle.deadLetter(delivery, new Error("no")) : settle.release(delivery);
        }),
        bufferAck({ maxSize: 6, maxWaitMs: 5_000 }),
        acknowledge(redis),
      ),
    );
    await until(() => pipeline.values.length > 0, "the batch is confirmed");
    expect(pipeline.values[0]).toEqual({
      stream,
      group,
      acked: 1,
      duplicates: 1,
      filtered: 1,
      retried: 1,
      deadLettered: 1,
      released: 1,
      notPending: 0,
      repeated: 0,
    });
    expect(commands.filter((words) => words.includes("deadKept") || words.includes("dead"))).toHaveLength(1);
    expect(commands.filter(([name]) => name === "xack")).toEqual([]);
    await until(async () => (await pending()) === 2, "only the retry and the released one are pending");
    const rows = await pendingRows();
    expect(rows[0]?.[0]).toBe(ids[3]);
    expect(rows[0]?.[3]).toBe(1);
    const schedule = await redis.zrange(helperKeys(stream, group)[1], "0", "-1");
    expect(schedule).toContain(ids[3]);
  });

  it("delivers a released entry again with the same delivery count", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(1);
    const counts: number[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        map((delivery) => {
          counts.push(delivery.deliveryCount);
          return counts.length < 3 ? settle.release(delivery) : delivery;
        }),
        acknowledge(redis),
      ),
    );
    await until(() => counts.length === 3, "it was handed back twice");
    expect(counts).toEqual([1, 1, 1]);
  });

  it("works with plain RxJS operators that emit the deliveries they received, and one sink without bufferAck", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(500);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        mergeMap(async (delivery) => {
          await redis.ping();
          return delivery;
        }, 50),
        acknowledge(redis),
      ),
    );
    await until(async () => total(pipeline.values, "acked") === 500 && (await pending()) === 0, "all are acknowledged");
  });

  it("deletes what every group has settled with ackAndDelete, and only that", async () => {
    const { redis, stream, group, add, run } = workbench();
    await redis.xgroup("CREATE", stream, "slow", "0", "MKSTREAM");
    await add(10);
    const status = new StatusLog();
    const one = run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(bufferAck(), acknowledge(redis, { mode: "ackAndDelete" })),
    );
    await until(() => total(one.values, "acked") === 10, "the first group has acknowledged");
    expect(await redis.xlen(stream)).toBe(10);
    const other = run(
      fromGroup(redis, { stream, group: "slow", startId: "0" }).pipe(bufferAck(), acknowledge(redis, { mode: "ackAndDelete" })),
    );
    await until(() => total(other.values, "acked") === 10, "the second group has acknowledged");
    await until(async () => (await redis.xlen(stream)) === 0, "the entries are deleted");
  });
});

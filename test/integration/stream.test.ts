import { acknowledge, bufferAck, checkpointKey, deadLetterKey, fixed, fromDeadLetters, fromStream, retryToDLQ, settle, type Delivery } from "rxjs-redis-streams";
import { lastValueFrom, map, tap, toArray } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { startProxy } from "../support/tcp-proxy.js";
import { Redis } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, recordCommands, StatusLog, total, workbench, type Workbench } from "../support/workbench.js";

/** A workbench whose helper keys without a group are removed as well. */
function bench(url?: string): Workbench & { readonly checkpoint: string; readonly deadLetterKey: string } {
  const made = workbench(url);
  const keys = { checkpoint: checkpointKey(made.stream, "audit"), deadLetterKey: deadLetterKey(made.stream) };
  afterwards(() => (made.redis.status === "ready" ? made.redis.del(keys.checkpoint, keys.deadLetterKey) : undefined));
  return { ...made, ...keys };
}

const audit = { checkpoint: "audit", startId: "0", everyMs: 20 } as const;

describe("fromStream", () => {
  it("emits what is there and what comes, without a group, and writes nothing but the checkpoint", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = await add(20);
    const commands = await recordCommands(redis, stream);
    const seen: Delivery<unknown>[] = [];
    const pipeline = run(
      fromStream(redis, { stream, from: audit, maxInFlight: 5 }).pipe(
        tap((delivery) => seen.push(delivery)),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 20, "the first are handled");
    const more = await add(5);
    await until(() => total(pipeline.values, "acked") === 25, "the next are handled");
    expect(seen.map(({ id }) => id)).toEqual([...ids, ...more]);
    expect(seen[0]).toMatchObject({ group: undefined, consumer: undefined, deliveryCount: 1, value: { n: "0" } });
    await until(async () => (await redis.get(checkpoint)) === more.at(-1), "the checkpoint is at the end");
    expect(new Set(commands.map(([name]) => name))).toEqual(new Set(["xinfo", "get", "xread", "evalsha", "xadd"].filter((name) => name !== "xinfo")));
    expect(commands.filter(([name]) => name === "xread").every((words) => Number(words[2]) <= 5)).toBe(true);
  });

  it("goes on after its checkpoint, and a second reader has its own", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const stop = new AbortController();
    const ids = await add(10);
    const first = run(fromStream(redis, { stream, from: audit, signal: stop.signal }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(first.values, "acked") === 10, "all are handled");
    stop.abort();
    await until(() => first.isDone, "it has drained");
    expect(await redis.get(checkpoint)).toBe(ids.at(-1));
    const later = await add(3);
    const second: string[] = [];
    const other: string[] = [];
    run(fromStream(redis, { stream, from: audit }).pipe(tap(({ id }) => second.push(id)), acknowledge(redis)));
    run(fromStream(redis, { stream, from: { ...audit, checkpoint: "other" } }).pipe(tap(({ id }) => other.push(id)), acknowledge(redis)));
    await until(() => second.length === 3 && other.length === 13, "both have read");
    expect(second).toEqual(later);
    await redis.del(checkpointKey(stream, "other"));
  });
});

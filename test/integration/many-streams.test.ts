import { randomUUID } from "node:crypto";
import { BehaviorSubject } from "rxjs";
import { acknowledge, bufferAck, fixed, fromClaims, fromGroup, retryToDLQ, type FromGroupOptions } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { afterwards, helperKeys, ourConnections, recordCommands, StatusLog, total, workbench, type Running, type Workbench } from "../support/workbench.js"; // prettier-ignore

const group = "group";

/** So many streams of this test's own. */
function names(redis: Redis, count: number): string[] {
  const test = randomUUID();
  const streams = Array.from({ length: count }, (_, n) => `test:${test}:${n}`);
  afterwards(() => redis.del(...streams, ...streams.flatMap((stream) => helperKeys(stream, group))));
  return streams;
}

async function fill(redis: Redis, streams: readonly string[], count: number): Promise<void> {
  const pipeline = redis.pipeline();
  for (const stream of streams) for (let n = 0; n < count; n += 1) pipeline.xadd(stream, "*", "n", n);
  await pipeline.exec();
}

const consume = (
  { redis, run }: Pick<Workbench, "redis" | "run">,
  options: Omit<FromGroupOptions, "group" | "startId">,
  handler: (stream: string, n: number) => void = () => undefined,
): Running<{ acked: number }> =>
  run(
    fromGroup(redis, { group, startId: "0", ...options }).pipe(
      retryToDLQ(({ n }, { stream }) => handler(stream, Number(n)), { maxDeliveries: 5, backoff: fixed(20) }),
      bufferAck(),
      acknowledge(redis),
    ),
  );

const acked = (pipeline: Running<unknown>): number => total(pipeline.values as never, "acked");

describe("a source of hundreds of streams", () => {
  it("reads them with one reader, and the busy one does not starve the others", async () => {
    const bench = workbench();
    const { redis } = bench;
    const streams = names(redis, 300);
    const busy = streams[17]!;
    for (let part = 0; part < 20; part += 1) await fill(redis, [busy], 1_000);
    const before = (await ourConnections(redis)).length;
    const order: string[] = [];
    const pipeline = consume(bench, { stream: streams, maxInFlight: 1_000 }, (stream) => void order.push(stream));
    await until(() => order.length > 2_000, "it is busy");
    expect((await ourConnections(redis)).length - before).toBeLessThanOrEqual(3); // reader, commands, the sink's
    await fill(redis, streams.filter((stream) => stream !== busy), 1); // prettier-ignore
    const asked = order.length;
    await until(() => new Set(order).size === 300, "each has had its turn");
    const last = Math.max(...streams.map((stream) => order.indexOf(stream)));
    expect(last - asked).toBeLessThan(6_000); // within a few reads, with 18 000 more of the busy one waiting
    await until(() => acked(pipeline) === 20_299, "all are handled");
  });

  it("takes the retries of all of them with one look", async () => {
    const bench = workbench();
    const streams = names(bench.redis, 200);
    const seen = new Map<string, number>();
    const failOnce = (stream: string): void => {
      seen.set(stream, (seen.get(stream) ?? 0) + 1);
      if (seen.get(stream) === 1) throw new Error("once");
    };
    const pipeline = consume(bench, { stream: streams }, failOnce);
    await fill(bench.redis, streams, 1);
    await until(() => acked(pipeline) === 200, "all are handled");
    const commands = await recordCommands(bench.redis, streams[199]!);
    await until(() => commands.some((words) => words.includes("block")), "the first walk of all is over");
    commands.length = 0;
    const begun = Date.now();
    await until(() => Date.now() - begun > 3_000, "three seconds have passed");
    expect(commands.length / 3).toBeLessThan(4); // reads and looks name all streams, and there is one of each
  });

  it("goes on with the others while the group of one vanishes again and again", async () => {
    const bench = workbench();
    const { redis } = bench;
    const streams = names(redis, 100);
    const status = new StatusLog();
    const handled = new Map<string, number>();
    const pipeline = consume(bench, { stream: streams, status }, (stream) => void handled.set(stream, (handled.get(stream) ?? 0) + 1));
    await fill(redis, streams, 1);
    await until(() => acked(pipeline) === 100, "all are read");
    for (let round = 0; round < 5; round += 1) {
      await redis.xgroup("DESTROY", streams[42]!, group);
      await fill(redis, streams, 1);
      await until(() => [...handled.values()].filter((count) => count >= round + 2).length >= 99, "the others are handled");
    }
    await until(() => (handled.get(streams[42]!) ?? 0) >= 6, "and so is the one");
    expect(new Set(status.of("groupRecreated").map(({ stream }) => stream))).toEqual(new Set([streams[42]]));
    const pending = async (): Promise<number> => {
      const counts = await Promise.all(streams.map(async (stream) => Number((await redis.xpending(stream, group))[0])));
      return counts.reduce((sum, count) => sum + count);
    };
    await until(async () => (await pending()) === 0, "all are acknowledged");
  });
});

describe("streams that come and go", () => {
  it("are read when they are listed, and left with nothing pending and no consumer", async () => {
    const bench = workbench();
    const { redis } = bench;
    const [a, b, c] = names(redis, 3) as [string, string, string];
    const streams$ = new BehaviorSubject<readonly string[]>([a, b]);
    const handled: string[] = [];
    consume(bench, { stream: streams$, blockMs: 200 }, (stream) => void handled.push(stream));
    await fill(redis, [a, b, c], 1);
    await until(() => handled.length === 2, "the first two are handled");
    streams$.next([b, c]);
    await until(() => handled.includes(c), "the new one is handled");
    await until(async () => (await redis.xinfo("CONSUMERS", a, group) as unknown[]).length === 0, "the old one's group is left"); // prettier-ignore
    expect(Number((await redis.xpending(a, group))[0])).toBe(0);
    await fill(redis, [a, b], 1);
    await until(() => handled.filter((stream) => stream === b).length === 2, "the one that stayed goes on");
    expect(handled.filter((stream) => stream === a)).toHaveLength(1);
  });

  it("are swept by a recovery worker, too", async () => {
    const { redis, run } = workbench();
    const [a, b] = names(redis, 2) as [string, string];
    await fill(redis, [a, b], 3);
    for (const stream of [a, b]) {
      await redis.xgroup("CREATE", stream, group, "0");
      await redis.xreadgroup("GROUP", group, "dead", "COUNT", 3, "STREAMS", stream, ">");
    }
    const streams$ = new BehaviorSubject<readonly string[]>([a]);
    const pipeline = run(fromClaims(redis, { stream: streams$, group, minIdleMs: 100, everyMs: 50 }).pipe(acknowledge(redis)));
    await until(() => total(pipeline.values, "acked") === 3, "the first is swept");
    expect(Number((await redis.xpending(b, group))[0])).toBe(3);
    streams$.next([b]);
    await until(() => total(pipeline.values, "acked") === 6, "and then the other");
  });
});

describe("a group that vanishes while all credit is held by what can't be settled without it", () => {
  it("is made again, and the retry is kept", async () => {
    const bench = workbench();
    const { redis, stream, add } = bench;
    await add(1);
    let calls = 0;
    const handler = async (): Promise<void> => {
      calls += 1;
      if (calls > 1) return;
      await redis.xgroup("DESTROY", stream, group);
      throw new Error("once");
    };
    const pipeline = bench.run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 1 }).pipe(
        retryToDLQ(handler, { maxDeliveries: 5, backoff: fixed(10) }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 1, "it is handled again");
    expect(calls).toBe(2);
  });
});

/** What an attack on the first version found; each was a real defect. */
import { map, timer } from "rxjs";
import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ, settle } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, StatusLog, total, workbench } from "../support/workbench.js";

const never = (): Promise<void> => new Promise(() => undefined);

describe("nothing is lost", () => {
  it("when the group is destroyed while an entry waits for its retry", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(5);
    const status = new StatusLog();
    const seen: string[] = [];
    const failOnce = ({ n = "" }: Record<string, string>, { deliveryCount }: { deliveryCount: number }): void => {
      seen.push(n);
      if (n === "2" && seen.length <= 5) throw new Error(`delivery ${deliveryCount}`);
    };
    run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(
        retryToDLQ(failOnce, { maxDeliveries: 5, backoff: fixed(700) }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => seen.length === 5, "all were delivered once");
    await until(async () => Number((await redis.xpending(stream, group))[0]) === 1, "one waits for its retry");
    await redis.xgroup("DESTROY", stream, group);
    await until(() => status.tags().includes("groupRecreated"), "the group is there again");
    await until(() => seen.filter((n) => n === "2").length === 2, "the retry is taken up");
  });

  it("when the consumer is deleted under its running handlers", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    await add(6);
    const status = new StatusLog();
    const release: (() => void)[] = [];
    let attempts = 0;
    const handler = (): Promise<void> => {
      attempts += 1;
      return attempts > 6 ? Promise.resolve() : new Promise((_, reject) => release.push(() => reject(new Error("once"))));
    };
    run(
      fromGroup(redis, { stream, group, consumer: "me", startId: "0", leaseMs: 300, status }).pipe(
        retryToDLQ(handler, { maxDeliveries: 5, backoff: fixed(10) }),
        acknowledge(redis),
      ),
    );
    await until(() => release.length === 6, "six handlers run");
    await redis.xgroup("DELCONSUMER", stream, group, "me");
    await until(async () => (await pending()) === 6, "they are pending again");
    for (const reject of release) reject();
    await until(async () => attempts === 12 && (await pending()) === 0, "all are handled after their retry");
    expect(status.tags()).not.toContain("leaseLost");
  });

  it("and nothing is dead-lettered unhandled when the reply of a read is lost, with a single delivery allowed", async () => {
    const { redis, stream, group, add, deadLetters, run } = workbench();
    const proxy = await startProxy(inject("redisUrl"));
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => proxy.close());
    afterwards(() => client.disconnect());
    const status = new StatusLog();
    const handled: string[] = [];
    run(
      fromGroup(client, { stream, group, startId: "0", status }).pipe(
        retryToDLQ(({ n = "" }) => void handled.push(n), { maxDeliveries: 1 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => status.tags().includes("reading"), "it reads");
    const cut = proxy.cutReplyWhen((request) => request.includes("xreadgroup") && request.includes(stream));
    await add(50);
    await cut;
    await until(() => handled.length === 50, "all are handled");
    expect(await deadLetters()).toEqual([]);
  });
});

describe("nothing is handed out twice", () => {
  it("after XGROUP SETID to an earlier id, while it is in flight", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(5);
    let starts = 0;
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(
          () => {
            starts += 1;
            return never();
          },
          { maxDeliveries: 5, concurrency: 50 },
        ),
        acknowledge(redis),
      ),
    );
    await until(() => starts === 5, "all are in flight");
    await redis.xgroup("SETID", stream, group, "0");
    const [marker] = await add(1, () => ({ n: "marker" }));
    await until(() => starts === 6, `the new entry ${marker ?? ""} is handed out`);
    expect(starts).toBe(6);
  });

  it("when a subscription under a name of one's own is given up and begun anew at once", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(20);
    const running = new Map<string, number>();
    let most = 0;
    const source = fromGroup(redis, { stream, group, consumer: "mine", startId: "0" }).pipe(
      retryToDLQ(
        ({ n = "" }, { signal }) =>
          timer(300).pipe(
            map(() => {
              if (!signal.aborted) running.set(n, (running.get(n) ?? 0) + 1);
              most = Math.max(most, running.get(n) ?? 0);
            }),
          ),
        { maxDeliveries: 5, concurrency: 50 },
      ),
      bufferAck(),
      acknowledge(redis),
    );
    const first = run(source);
    await until(async () => Number(((await redis.xpending(stream, group).catch(() => [0])) as unknown[])[0]) === 20, "all are in flight");
    first.subscription.unsubscribe();
    const second = run(source);
    run(fromGroup(redis, { stream, group, startId: "0" }).pipe(bufferAck(), acknowledge(redis)));
    await until(async () => Number((await redis.xpending(stream, group))[0]) === 0, "nothing is pending");
    expect(most).toBeLessThanOrEqual(1);
    expect(second.error).toBeUndefined();
  });
});

describe("a pipeline tells what is the matter", () => {
  it("when Redis can't be reached from the start", async () => {
    const unreachable = new Redis({ port: 1, lazyConnect: true });
    unreachable.on("error", () => undefined);
    afterwards(() => unreachable.disconnect());
    const { stream, group, run } = workbench();
    const status = new StatusLog();
    run(fromGroup(unreachable, { stream, group, startId: "0", status }).pipe(acknowledge(unreachable)));
    await until(() => status.of("reconnecting").length >= 3, "it reports its attempts");
    expect(status.of("reconnecting").at(-1)?.attempt).toBeGreaterThan(1);
    expect(String(status.of("reconnecting").at(-1)?.cause)).toContain("ECONNREFUSED");
  });
});

describe("stale entries", () => {
  it("do not keep new ones waiting, with a window of 1", async () => {
    const { redis, stream, group, add, run } = workbench();
    await add(300, (n) => ({ n: `stale ${n}` }));
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "gone", "COUNT", 300, "STREAMS", stream, ">");
    await until(
      async () => ((await redis.xpending(stream, group, "-", "+", 1)) as [string, string, number][])[0]![2] > 150,
      "they are stale",
    );
    await add(20, (n) => ({ n: `new ${n}` }));
    const order: string[] = [];
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 1, leaseMs: 100 }).pipe(
        retryToDLQ(({ n = "" }) => void order.push(n), { maxDeliveries: 5 }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 320, "all are handled");
    expect(order.lastIndexOf("new 19")).toBeLessThan(100);
  });
});

describe("a handler", () => {
  it("may decide itself", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(3);
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ((fields, delivery) => (fields["n"] === "1" ? settle.deadLetter(delivery, new Error("mine")) : undefined), {
          maxDeliveries: 5,
        }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "one is dead, two are handled");
    expect(total(pipeline.values, "acked")).toBe(2);
  });
});

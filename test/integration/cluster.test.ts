import { randomUUID } from "node:crypto";
import { BehaviorSubject, lastValueFrom, range, tap, toArray } from "rxjs";
import {
  acknowledge,
  appendTo,
  bufferAck,
  checkpointKey,
  deadLetterKey,
  dedupe,
  fixed,
  fromDeadLetters,
  fromGroup,
  fromRange,
  fromStream,
  handOff,
  partitionBy,
  rateKey,
  rateLimit,
  redrive,
  retryToDLQ,
  trimAcked,
} from "rxjs-redis-streams";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster as Nodes } from "../support/cluster.js";
import { Cluster } from "../support/ioredis.js";
import { until } from "../support/until.js";
import { afterwards, helperKeys, run, StatusLog, total } from "../support/workbench.js";

const group = "group";

describe("a Redis Cluster", () => {
  let nodes: Nodes;
  let cluster: Cluster;

  beforeAll(async () => {
    nodes = await startCluster({ masters: 3, replicasPer: 1 });
    cluster = new Cluster([...nodes.nodes], { redisOptions: { maxRetriesPerRequest: null } });
    cluster.on("error", () => undefined);
  }, 60_000);
  afterAll(async () => {
    cluster.disconnect();
    await nodes.stop();
  });

  it("reads streams of several slots in one source, with retries and dead letters in the slot of each", async () => {
    const streams = Array.from({ length: 9 }, () => `test:${randomUUID()}`);
    for (const stream of streams) for (let n = 0; n < 20; n += 1) await cluster.xadd(stream, "*", "n", n);
    const stop = new AbortController();
    const status = new StatusLog();
    const pipeline = run(
      fromGroup(cluster, { stream: streams, group, startId: "0", signal: stop.signal, status }).pipe(
        retryToDLQ(({ n }) => n === "7" && Promise.reject(new Error("no")), { maxDeliveries: 2, backoff: fixed(10) }),
        bufferAck(),
        acknowledge(cluster),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 9 * 19 && total(pipeline.values, "deadLettered") === 9, "all are settled");
    for (const stream of streams) {
      expect(await cluster.xlen(helperKeys(stream, group)[0])).toBe(1);
      expect(await cluster.xpending(stream, group)).toEqual([0, null, null, null]);
    }
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    expect(pipeline.error).toBeUndefined();
  });

  it("reads a hundred streams: one reader per slot, streams of one slot together, those that come later too", async () => {
    const test = randomUUID();
    const apart = Array.from({ length: 60 }, (_, n) => `test:${test}:${n}`);
    const together = Array.from({ length: 40 }, (_, n) => `{${test}}:${n}`);
    const later = [`test:${test}:later`, `{${test}}:later`];
    const names$ = new BehaviorSubject([...apart, ...together]);
    const stop = new AbortController();
    const seen = new Set<string>();
    const pipeline = run(
      fromGroup(cluster, { stream: names$, group, startId: "0", maxInFlight: 500, signal: stop.signal }).pipe(
        tap(({ stream }) => seen.add(stream)),
        bufferAck(),
        acknowledge(cluster),
      ),
    );
    for (const stream of names$.value) await cluster.xadd(stream, "*", "n", 1);
    await until(() => total(pipeline.values, "acked") === 100, "all are acknowledged");
    names$.next([...apart, ...together, ...later]);
    for (const stream of later) await cluster.xadd(stream, "*", "n", 1);
    await until(() => total(pipeline.values, "acked") === 102, "and those that came later");
    expect(seen.size).toBe(102);
    stop.abort();
    await until(() => pipeline.isDone, "it has drained");
    expect(pipeline.error).toBeUndefined();
  });

  it("appends to streams of several slots, once per key, trims them, and takes dead letters back", async () => {
    const streams = Array.from({ length: 6 }, () => `test:${randomUUID()}`);
    const keyed = { stream: (n: number) => streams[n % 6]!, fields: (n: number) => ({ n }), idempotencyKey: String };
    const append = (): Promise<string[]> => lastValueFrom(range(0, 600).pipe(appendTo(cluster, keyed), toArray()));
    const ids = await append();
    expect(await append()).toEqual(ids);
    for (const stream of streams) expect(await cluster.xlen(stream)).toBe(100);

    const [stream = ""] = streams;
    let isMended = false;
    const pipeline = run(
      fromGroup(cluster, { stream, group, startId: "0" }).pipe(
        retryToDLQ(({ n }) => !isMended && n === "60" && Promise.reject(new Error("no")), { maxDeliveries: 1 }),
        acknowledge(cluster),
      ),
    );
    await until(() => total(pipeline.values, "deadLettered") === 1 && total(pipeline.values, "acked") === 99, "one is a dead letter");
    await until(async () => (await lastValueFrom(trimAcked(cluster, { stream }))).heldBy === undefined, "all are acknowledged");
    expect(await cluster.xlen(stream)).toBe(0);
    isMended = true;
    const became = await lastValueFrom(fromDeadLetters(cluster, { stream, group }).pipe(redrive(cluster), toArray()));
    expect(became.map(({ _tag }) => _tag)).toEqual(["added"]);
    await until(() => total(pipeline.values, "acked") === 100, "it is handled");
    pipeline.subscription.unsubscribe();
  });

  it("refuses dead letters in another slot with the name that fits, before one is to be written", async () => {
    const stream = `test:${randomUUID()}`;
    const id = await cluster.xadd(stream, "*", "n", 1);
    const pipeline = run(fromGroup(cluster, { stream, group, startId: "0" }).pipe(acknowledge(cluster, { deadLetterStream: "morgue" })));
    await until(() => pipeline.isDone, "it has ended");
    expect(pipeline.error).toMatchObject({
      _tag: "CommandError",
      message: expect.stringContaining(`Name it "{${stream}}:morgue"`) as string,
    });
    expect(await cluster.xpending(stream, group)).toEqual([1, id, id, expect.anything()]);
  });

  it("hands on and dedupes within the slot of each stream, and refuses another slot with the name that fits", async () => {
    const streams = Array.from({ length: 3 }, () => `test:${randomUUID()}`);
    for (const stream of streams) for (let n = 0; n < 20; n += 1) await cluster.xadd(stream, "*", "n", n % 10);
    const into = (to: (stream: string) => string, scope = "group") =>
      run(
        fromGroup(cluster, { stream: streams, group, startId: "0" }).pipe(
          dedupe(cluster, { key: ({ n = "" }) => n, ttlMs: 60_000, waitMs: 50, scope }),
          bufferAck(),
          handOff(cluster, {
            to: (_, { stream }) => to(stream),
            fields: ({ n = "" }) => ({ n }),
            effects: (_, { stream }) => [{ _tag: "CounterIncrement", key: `{${stream}}:count` }],
          }),
        ),
      );
    const refused = into(() => "invoices");
    await until(() => refused.isDone, "it has ended");
    expect(refused.error).toMatchObject({
      _tag: "CommandError",
      message: expect.stringMatching(/Name it "\{test:[^}]+\}:invoices"/) as string,
    });
    const elsewhere = into((stream) => `{${stream}}:out`, "payments");
    await until(() => elsewhere.isDone, "it has ended, too");
    expect(elsewhere.error).toMatchObject({ _tag: "CommandError", message: expect.stringContaining('"{payments}:…"') as string });

    const pipeline = into((stream) => `{${stream}}:out`);
    await until(() => total(pipeline.values, "acked") === 30 && total(pipeline.values, "duplicates") === 30, "all are settled");
    for (const stream of streams) {
      expect([await cluster.xlen(`{${stream}}:out`), await cluster.get(`{${stream}}:count`)]).toEqual([10, "10"]);
      expect(await cluster.get(`{${stream}}:dedupe:group:${group}:=7`)).toBe("done");
    }
    pipeline.subscription.unsubscribe();
  });

  it("reads without a group: checkpoint and dead letters are in the stream's slot", async () => {
    const stream = `test:${randomUUID()}`;
    const ids: (string | null)[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(await cluster.xadd(stream, "*", "n", n));
    const pipeline = run(
      fromStream(cluster, { stream, from: { checkpoint: "audit", startId: "0", everyMs: 20 } }).pipe(
        retryToDLQ(({ n }) => n === "7" && Promise.reject(new Error("no")), { maxDeliveries: 2, backoff: fixed(10) }),
        bufferAck(),
        acknowledge(cluster),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 19 && total(pipeline.values, "deadLettered") === 1, "all are settled");
    await until(async () => (await cluster.get(checkpointKey(stream, "audit"))) === ids.at(-1), "the checkpoint is at the end");
    expect(await cluster.xlen(deadLetterKey(stream))).toBe(1);
    const replayed = await lastValueFrom(fromRange(cluster, { stream }).pipe(acknowledge(cluster), toArray()));
    expect(total(replayed, "acked")).toBe(20);
    pipeline.subscription.unsubscribe();
  });

  it("reads bytes as they are, from streams of several slots", async () => {
    const streams = Array.from({ length: 5 }, () => `test:${randomUUID()}`);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    for (const stream of streams) await cluster.xadd(stream, "*", "n", bytes);
    const seen: Buffer[] = [];
    const pipeline = run(
      fromGroup(cluster, { stream: streams, group, startId: "0", payload: "buffer" }).pipe(
        retryToDLQ(({ n }, { deliveryCount }) => (deliveryCount === 1 ? Promise.reject(new Error("no")) : seen.push(n!)), {
          maxDeliveries: 3,
          backoff: fixed(1),
        }),
        acknowledge(cluster),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 5, "all are handled the second time");
    expect(seen).toEqual(streams.map(() => bytes));
  });

  it("keeps keys in order while retries wait, in the slot of each stream", async () => {
    const streams = Array.from({ length: 4 }, () => `test:${randomUUID()}`);
    for (const stream of streams) for (let n = 0; n < 20; n += 1) await cluster.xadd(stream, "*", "n", n, "stream", stream);
    const seen = new Map(streams.map((stream) => [stream, [] as number[]]));
    const failed = new Set<string>();
    const pipeline = run(
      fromGroup(cluster, { stream: streams, group, startId: "0" }).pipe(
        partitionBy(
          () => "one",
          { lanes: 2, whileRetrying: "wait" },
          (lane$) =>
            lane$.pipe(
              retryToDLQ(
                ({ n = "", stream = "" }) => {
                  if (Number(n) % 7 === 3 && failed.size < failed.add(stream + n).size) throw new Error("once");
                  seen.get(stream)!.push(Number(n));
                },
                { maxDeliveries: 5, backoff: fixed(20) },
              ),
            ),
        ),
        bufferAck(),
        acknowledge(cluster),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 80, "all are acknowledged");
    for (const each of seen.values()) expect(each).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(failed.size).toBe(12);
    pipeline.subscription.unsubscribe();
  });

  it("shares a limit per stream, on the stream's node", async () => {
    const streams = Array.from({ length: 3 }, () => `test:${randomUUID()}`);
    for (const stream of streams) for (let n = 0; n < 12; n += 1) await cluster.xadd(stream, "*", "n", n);
    const limits = { limit: 4, perMs: 300 };
    const begun = Date.now();
    const consumers = [0, 1].map(() =>
      run(
        fromGroup(cluster, { stream: streams, group, startId: "0", maxInFlight: 9 }).pipe(
          rateLimit(cluster, { ...limits, scope: "group" }),
          acknowledge(cluster),
        ),
      ),
    );
    const acked = (): number => total(consumers.flatMap(({ values }) => values), "acked"); // prettier-ignore
    await until(() => acked() > 0, "the first have passed");
    for (const stream of streams) {
      const passed = (await cluster.hvals(rateKey(stream, group, limits))).reduce((sum, count) => sum + Number(count), 0);
      expect(passed).toBeLessThanOrEqual(limits.limit);
    }
    await until(() => acked() === 36, "all have passed");
    expect(Date.now() - begun).toBeGreaterThanOrEqual(2 * limits.perMs - 10); // 4 of each stream at once, and two times more
    for (const { error } of consumers) expect(error).toBeUndefined();
    consumers.forEach(({ subscription }) => subscription.unsubscribe());
  });

  it("survives the death of a stream's master: every entry is handled", { timeout: 60_000 }, async () => {
    const stream = `test:${randomUUID()}`;
    const handled = new Set<string>();
    const status = new StatusLog();
    const pipeline = run(
      fromGroup(cluster, { stream, group, startId: "0", leaseMs: 3_000, status }).pipe(
        retryToDLQ(({ n = "" }) => void handled.add(n), { maxDeliveries: 9 }),
        bufferAck(),
        acknowledge(cluster),
      ),
    );
    for (let n = 0; n < 200; n += 1) await cluster.xadd(stream, "*", "n", n);
    await until(() => handled.size === 200, "the first are handled");
    await cluster.wait(1, 2_000);
    const slot = await cluster.cluster("KEYSLOT", stream);
    const ranges = (await cluster.cluster("SLOTS")) as unknown as [number, number, [string, number]][];
    const owner = ranges.find(([first, last]) => first <= slot && slot <= last)!;
    await nodes.kill(owner[2][1]);
    await until(() => status.tags().includes("reconnecting"), "the source has noticed");
    const added = await addWhenPossible(stream);
    await until(() => handled.has(added), "what is added after the failover is handled", { timeoutMs: 30_000 });
    expect(pipeline.isDone).toBe(false);
    await until(async () => Number((await cluster.xpending(stream, group))[0]) === 0, "nothing is pending", {
      timeoutMs: 20_000,
    });
  });

  /** A failover takes seconds, in which writes fail. */
  async function addWhenPossible(stream: string): Promise<string> {
    let n = 1_000;
    await until(
      async () => {
        n += 1;
        return cluster.xadd(stream, "*", "n", n).then(
          () => true,
          () => false,
        );
      },
      "the cluster takes writes again",
      { timeoutMs: 30_000 },
    );
    return String(n);
  }

  it("leaves no connection behind", async () => {
    afterwards(() => undefined);
    for (const node of cluster.nodes("master")) {
      await until(async () => !String(await node.call("client", "list")).includes("name=rxjs-redis-streams"), "all connections are closed");
    }
    expect(cluster.nodes("master").length).toBeGreaterThanOrEqual(3);
  });
});

import { once } from "node:events";
import {
  acknowledge,
  bufferAck,
  checkpointKey,
  deadLetterKey,
  EntryIdOrd,
  fixed,
  fromDeadLetters,
  fromStream,
  retryToDLQ,
  settle,
  toEntryId,
} from "rxjs-redis-streams";
import { lastValueFrom, map, tap, toArray } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, recordCommands, StatusLog, total, workbench, type Workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

const audit = { checkpoint: "audit", startId: "0", everyMs: 20 } as const;

interface Bench extends Workbench {
  /** The key of the checkpoint `audit`. */
  readonly checkpoint: string;
}

/** A workbench that removes the helper keys of readers without a group as well. */
function bench(url?: string): Bench {
  const made = workbench(url);
  const { redis, stream } = made;
  const checkpoint = checkpointKey(stream, audit.checkpoint);
  afterwards(() => (redis.status === "ready" ? redis.del(checkpoint, deadLetterKey(stream), `${stream}:handled`) : undefined));
  return { ...made, checkpoint };
}

/** A client whose connections all go through a proxy. */
async function throughProxy(): Promise<{ proxy: TcpProxy; client: Redis }> {
  const proxy = await startProxy(inject("redisUrl"));
  const client = new Redis(proxy.url);
  client.on("error", () => undefined);
  afterwards(() => proxy.close());
  afterwards(() => client.disconnect());
  return { proxy, client };
}

describe("fromStream", () => {
  it("emits what is there and what comes, without a group, and writes nothing but the checkpoint", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = await add(20);
    const commands = await recordCommands(redis, stream);
    const seen: unknown[] = [];
    const pipeline = run(
      fromStream(redis, { stream, from: audit, maxInFlight: 5 }).pipe(
        tap(({ id, group, consumer, deliveryCount, value }) => seen.push([id, group, consumer, deliveryCount, value["n"]])),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 20, "the first are handled");
    const more = await add(5);
    await until(() => total(pipeline.values, "acked") === 25, "the next are handled");
    expect(seen).toEqual([...ids, ...more].map((id, n) => [id, undefined, undefined, 1, String(n < 20 ? n : n - 20)]));
    await until(async () => (await redis.get(checkpoint)) === more.at(-1), "the checkpoint is at the end");
    const names = new Set(commands.map(([name]) => name));
    for (const name of ["xadd", "xinfo", "eval", "evalsha", "get"]) names.delete(name);
    expect([...names]).toEqual(["xread"]);
    expect(commands.filter(([name]) => name === "xread").every((words) => Number(words[2]) <= 5)).toBe(true);
  });

  it("goes on after its checkpoint, which is written when it drains, and closes its connections", async () => {
    const server = await ownServer();
    const { redis, stream, add, run, checkpoint } = bench(server.url);
    const stop = new AbortController();
    const ids = await add(10);
    const lazy = { ...audit, everyMs: 60_000 };
    const first = run(fromStream(redis, { stream, from: lazy, signal: stop.signal }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(first.values, "acked") === 10, "all are handled");
    expect(await redis.get(checkpoint)).toBeNull();
    stop.abort();
    await until(() => first.isDone, "it has drained");
    expect(await redis.get(checkpoint)).toBe(ids.at(-1));
    const later = await add(3);
    const second: string[] = [];
    const next = run(
      fromStream(redis, { stream, from: lazy }).pipe(
        tap(({ id }) => second.push(id)),
        acknowledge(redis),
      ),
    );
    await until(() => second.length === 3, "the second has read");
    next.subscription.unsubscribe();
    expect(second).toEqual(later);
    await until(async () => (await redis.get(checkpoint)) === later.at(-1), "unsubscribing writes it, too");
    await expectNoConnections(redis);
  });

  it("gives every reader all entries, and each its own checkpoint", async () => {
    const { redis, stream, add, run } = bench();
    await add(10);
    const readers = ["one", "two"].map((checkpoint) =>
      run(fromStream(redis, { stream, from: { ...audit, checkpoint } }).pipe(bufferAck(), acknowledge(redis))),
    );
    afterwards(() => redis.del(checkpointKey(stream, "one"), checkpointKey(stream, "two")));
    await until(() => readers.every(({ values }) => total(values, "acked") === 10), "both have all");
    await until(async () => (await redis.exists(checkpointKey(stream, "one"), checkpointKey(stream, "two"))) === 2, "both are stored");
  });

  it("waits for a stream that is missing", async () => {
    const { redis, stream, add, run } = bench();
    const status = new StatusLog();
    const pipeline = run(fromStream(redis, { stream, from: "$", status }).pipe(acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    await add(3);
    await until(() => total(pipeline.values, "acked") === 3, "all are handled");
  });

  it("ends with WrongTypeError when the key is no stream", async () => {
    const { redis, stream, run } = bench();
    await redis.set(stream, "text");
    const pipeline = run(fromStream(redis, { stream, from: "0" }));
    await until(() => pipeline.isDone, "the pipeline has ended");
    expect(pipeline.error).toMatchObject({ _tag: "WrongTypeError" });
  });

  it("ends with ReplyError when the checkpoint is no id", async () => {
    const { redis, stream, run, checkpoint } = bench();
    await redis.set(checkpoint, "yesterday");
    const pipeline = run(fromStream(redis, { stream, from: audit }));
    await until(() => pipeline.isDone, "the pipeline has ended");
    expect(pipeline.error).toMatchObject({ _tag: "ReplyError" });
  });
});

describe("fromStream in trouble", () => {
  it("killed with -9 it loses nothing: the next one begins before what was unsettled", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = await add(1_000);
    const worker = startWorker("follow-stream.ts", inject("redisUrl"), stream, audit.checkpoint);
    await messageFrom<{ handled: number }>(worker, ({ handled }) => handled > 110);
    worker.kill("SIGKILL");
    await once(worker, "exit");
    const stored = (await redis.get(checkpoint)) ?? "";
    expect(ids.indexOf(stored)).toBeLessThan(99); // the hundredth is stuck; the mark is before it, whatever was settled behind
    const handled = new Set(await redis.lrange(`${stream}:handled`, 0, -1));
    expect(handled.size).toBeGreaterThan(99);

    const again: string[] = [];
    run(
      fromStream(redis, { stream, from: audit }).pipe(
        retryToDLQ(({ n = "" }) => void again.push(n), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.get(checkpoint)) === ids.at(-1), "the checkpoint is at the end");
    const repeated = again.filter((n) => handled.has(n));
    expect(new Set([...handled, ...again]).size).toBe(1_000);
    expect(new Set(again).size).toBe(again.length);
    expect(again).toContain("99");
    // what was settled behind the stuck one, or since the last write of the checkpoint: a fraction of what was handled
    expect(repeated.length).toBeLessThan(handled.size);
  });

  it("loses and repeats nothing when its connections break again and again", async () => {
    const { redis, stream, add, run } = bench();
    const { proxy, client } = await throughProxy();
    const status = new StatusLog();
    const seen: string[] = [];
    run(
      fromStream(client, { stream, from: "0", maxInFlight: 10, status }).pipe(
        tap(({ id }) => seen.push(id)),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    const ids: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      await until(() => status.tags().at(-1) === "reading", "it reads");
      const cut = proxy.cutReplyWhen((request) => request.includes("xread") && request.includes(stream));
      ids.push(...(await add(40)));
      if (round % 2 === 0) proxy.reset();
      else await Promise.race([cut, until(() => seen.length === ids.length, "all are read")]);
      await until(() => seen.length >= ids.length, "all are read");
    }
    expect(seen).toEqual(ids);
    expect(status.tags()).toContain("reconnecting");
    expect(status.tags().at(-1)).toBe("reading");
  });

  it('from "$" it is given what is added during an outage', async () => {
    const { redis, stream, add, run } = bench();
    const { proxy, client } = await throughProxy();
    await add(5);
    const status = new StatusLog();
    const seen: string[] = [];
    run(
      fromStream(client, { stream, from: "$", status }).pipe(
        tap(({ id }) => seen.push(id)),
        acknowledge(redis),
      ),
    );
    await until(() => status.tags().at(-1) === "reading", "it reads");
    proxy.refuse(true);
    proxy.reset();
    await until(() => status.tags().includes("reconnecting"), "it has noticed");
    const ids = await add(7);
    proxy.refuse(false);
    await until(() => seen.length === 7, "all are read");
    expect(seen).toEqual(ids);
  });

  it("a server that is killed and comes back: every entry once", async () => {
    const server = await ownServer({ durable: true });
    const { redis, stream, add, run } = bench(server.url);
    const seen: string[] = [];
    run(
      fromStream(redis, { stream, from: audit, maxInFlight: 100 }).pipe(
        tap(({ id }) => seen.push(id)),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    const ids = await add(1_000);
    await until(() => seen.length > 100, "it is in the middle");
    await server.restart({ signal: "SIGKILL" });
    ids.push(...(await add(10)));
    await until(() => seen.length >= ids.length, "all are read");
    expect(seen).toEqual(ids);
  });

  it("a stream that was deleted and made anew, with lower ids, is read from its beginning", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const status = new StatusLog();
    const ids = await add(3);
    const seen: string[] = [];
    run(
      fromStream(redis, { stream, from: audit, blockMs: 50, status }).pipe(
        tap(({ id }) => seen.push(id)),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.get(checkpoint)) === ids.at(-1), "all are handled");
    await redis.del(stream);
    await redis.xadd(stream, "5-1", "n", "new");
    await until(() => seen.length === 4, "the new one is read");
    expect(status.of("rewound")).toEqual([{ _tag: "rewound", stream, from: ids.at(-1), after: "0-0" }]);
    await until(async () => (await redis.get(checkpoint)) === "5-1", "the checkpoint is that of the new stream");
  });

  it("a checkpoint beyond the end of the stream is given up, with a status", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = await add(3);
    await redis.set(checkpoint, "99999999999999-0");
    const status = new StatusLog();
    const seen: string[] = [];
    run(
      fromStream(redis, { stream, from: audit, status }).pipe(
        tap(({ id }) => seen.push(id)),
        acknowledge(redis),
      ),
    );
    await until(async () => (await redis.get(checkpoint)) === ids.at(-1), "the checkpoint is at the end");
    expect(seen).toEqual(ids);
    expect(status.of("rewound")).toEqual([{ _tag: "rewound", stream, from: "99999999999999-0", after: "0-0" }]);
  });

  it("a failover that lost the newest entries: goes on after the last that is left", async () => {
    const { redis, stream, run } = bench();
    for (const n of [1, 2, 3]) await redis.xadd(stream, `${n}-0`, "n", n);
    const status = new StatusLog();
    const seen: string[] = [];
    run(
      fromStream(redis, { stream, from: "0", blockMs: 50, maxInFlight: 1, status }).pipe(
        tap(({ id }) => seen.push(id)),
        acknowledge(redis),
      ),
    );
    await until(() => seen.length === 3, "all are read");
    const state = redis.multi().del(stream);
    for (const n of [1, 2]) state.xadd(stream, `${n}-0`, "n", n);
    await state.exec();
    await until(() => status.of("rewound").length > 0, "it has noticed");
    await redis.xadd(stream, "2-5", "n", "new");
    await until(() => seen.length === 4, "the new one is read");
    expect(seen).toEqual(["1-0", "2-0", "3-0", "2-5"]);
    expect(status.of("rewound")).toEqual([{ _tag: "rewound", stream, from: "3-0", after: "2-0" }]);
  });

  it("reports entries that were trimmed before they were read", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = await add(10);
    await redis.set(checkpoint, ids[1] ?? "");
    await redis.xtrim(stream, "MAXLEN", "=", 5);
    const status = new StatusLog();
    const pipeline = run(fromStream(redis, { stream, from: audit, status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(pipeline.values, "acked") === 5, "what is left is handled");
    expect(status.of("gap")).toEqual([{ _tag: "gap", stream, after: ids[1], first: ids[5] }]);
  });
});

describe("settlements without a group", () => {
  it("a retry comes again after its delay, counted, and is a dead letter in the end; the checkpoint waits for it", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = (await add(5)).map(toEntryId);
    const counts: number[] = [];
    let whileRetried = "";
    const pipeline = run(
      fromStream(redis, { stream, from: audit }).pipe(
        retryToDLQ(
          async ({ n }, { deliveryCount }) => {
            if (n !== "1") return;
            counts.push(deliveryCount);
            if (deliveryCount === 3) whileRetried = (await redis.get(checkpoint)) ?? "";
            throw new Error("no");
          },
          { maxDeliveries: 3, backoff: fixed(100) },
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "deadLettered") === 1, "it is a dead letter");
    expect(counts).toEqual([1, 2, 3]);
    expect(total(pipeline.values, "retried")).toBe(2);
    expect(EntryIdOrd.compare(toEntryId(whileRetried), ids[1]!)).toBe(-1);
    expect(EntryIdOrd.compare(toEntryId(whileRetried), ids[0]!)).toBeGreaterThanOrEqual(0);
    await until(async () => (await redis.get(checkpoint)) === ids.at(-1), "the checkpoint is at the end");
    const letters = await lastValueFrom(fromDeadLetters(redis, { stream }).pipe(toArray()));
    expect(letters).toMatchObject([{ origin: { stream, id: ids[1], group: "" }, cause: { message: "no" }, deliveryCount: 3 }]);
    expect({ ...letters[0]?.fields }).toEqual({ n: "1" });
  });

  it("a released delivery comes again, counted as before", async () => {
    const { redis, stream, add, run } = bench();
    await add(1);
    const counts: number[] = [];
    const pipeline = run(
      fromStream(redis, { stream, from: "0" }).pipe(
        tap(({ deliveryCount }) => counts.push(deliveryCount)),
        map((delivery) => (counts.length < 3 ? settle.release(delivery) : delivery)),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "acked") === 1, "it is handled");
    expect(counts).toEqual([1, 1, 1]);
    expect(total(pipeline.values, "released")).toBe(2);
  });

  it("a dead letter keeps what the entry held, byte for byte, also when it was trimmed, and goes where it is told", async () => {
    const { redis, stream, run } = bench();
    const bytes = Buffer.from([0, 255, 254, 10]);
    await redis.call("xadd", stream, "1-0", "raw", bytes);
    await redis.xadd(stream, "2-0", "n", "2");
    const elsewhere = `{${stream}}:bad`;
    afterwards(() => redis.del(elsewhere));
    const pipeline = run(
      fromStream(redis, { stream, from: "0" }).pipe(
        tap(({ id }) => id === "2-0" && void redis.xdel(stream, id)),
        map((delivery) => settle.deadLetter(delivery, "bad")),
        bufferAck({ maxWaitMs: 100 }),
        acknowledge(redis, { deadLetterStream: elsewhere, mode: "ackAndDelete" }),
      ),
    );
    await until(() => total(pipeline.values, "deadLettered") === 2, "both are dead letters");
    const letters = await redis.xrangeBuffer(elsewhere, "-", "+");
    expect(letters.map(([, pairs]) => pairs.slice(2).map(String))).toEqual([
      ["raw", String(bytes)],
      ["n", "2"],
    ]);
    expect(letters[0]?.[1][3]).toEqual(bytes);
    expect(await redis.xlen(stream)).toBe(1);
  });

  it("a drain waits for a retry that is due in time, and gives up one that is not", async () => {
    const { redis, stream, add, run, checkpoint } = bench();
    const ids = (await add(3)).map(toEntryId);
    const stop = new AbortController();
    const status = new StatusLog();
    const counts = new Map<string, number>();
    const pipeline = run(
      fromStream(redis, { stream, from: audit, signal: stop.signal, drainTimeoutMs: 5_000, status }).pipe(
        tap(({ value, deliveryCount }) => counts.set(value["n"]!, deliveryCount)),
        map((delivery) => {
          if (delivery.value["n"] === "0" && delivery.deliveryCount === 1) return settle.retry(delivery, { delayMs: 500 });
          return delivery.value["n"] === "1" ? settle.retry(delivery, { delayMs: 3_600_000 }) : delivery;
        }),
        acknowledge(redis),
      ),
    );
    await until(() => total(pipeline.values, "retried") === 2, "both wait");
    stop.abort();
    const begun = Date.now();
    await until(() => pipeline.isDone, "it has drained");
    expect(Date.now() - begun).toBeLessThan(4_000);
    expect(counts.get("0")).toBe(2);
    expect(status.seen.at(-1)).toEqual({ _tag: "stopped", reason: "drained", released: 1 });
    const stored = toEntryId((await redis.get(checkpoint)) ?? "");
    expect(EntryIdOrd.compare(stored, ids[1]!)).toBe(-1);
    expect(EntryIdOrd.compare(stored, ids[0]!)).toBeGreaterThanOrEqual(0);
  });
});

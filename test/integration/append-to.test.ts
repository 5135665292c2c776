import { from, lastValueFrom, map, range, toArray, type Observable } from "rxjs";
import { appendAll, appendTo, type AppendStatus, type EntryId } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, recordCommands, run, workbench } from "../support/workbench.js";

const all = <A>(source: Observable<A>): Promise<A[]> => lastValueFrom(source.pipe(toArray()));

async function throughProxy(): Promise<{ proxy: TcpProxy; client: Redis }> {
  const proxy = await startProxy(inject("redisUrl"));
  const client = new Redis(proxy.url);
  client.on("error", () => undefined);
  afterwards(() => proxy.close());
  afterwards(() => client.disconnect());
  return { proxy, client };
}

const helperKeysOf = async (redis: Redis, stream: string): Promise<string[]> => redis.keys(`{${stream}}*`);

describe("appendTo", () => {
  it("adds in order, many to a write, and emits the ids in order", async () => {
    const { redis, stream } = workbench();
    const commands = await recordCommands(redis, stream);
    const ids = await all(
      range(0, 2_000).pipe(
        map((n) => ({ n, name: `é${n}`, big: 2n ** 60n, yes: true })),
        appendTo(redis, { stream }),
      ),
    );
    const entries = await redis.xrange(stream, "-", "+");
    expect(entries.map(([id]) => id)).toEqual(ids);
    expect(entries.map(([, pairs]) => pairs[1])).toEqual(Array.from({ length: 2_000 }, (_, n) => String(n)));
    expect(entries[7]?.[1]).toEqual(["n", "7", "name", "é7", "big", "1152921504606846976", "yes", "true"]);
    await until(() => commands.length >= 5, "the monitor has seen them");
    expect(commands.filter(([name]) => name === "evalsha" || name === "eval").length).toBeLessThanOrEqual(8);
    await expectNoConnections(redis);
  });

  it("writes bytes as they are, pairs in their order, and the trace context", async () => {
    const { redis, stream } = workbench();
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    const fields = (): [string, Uint8Array | string][] => [
      ["b", bytes.subarray(1, 3)],
      ["a", "1"],
      ["a", "2"],
    ];
    await all(from([1]).pipe(appendTo(redis, { stream, fields, traceContext: () => ({ traceparent: "00-1-2-01", a: "not this" }) })));
    const [entry] = await redis.xrangeBuffer(stream, "-", "+");
    expect(entry?.[1].map((word) => word.toString("latin1"))).toEqual(["b", "\xff\x80", "a", "1", "a", "2", "traceparent", "00-1-2-01"]);
  });

  it("keeps to maxLen and minId, exactly or about", async () => {
    const { redis, stream } = workbench();
    await all(
      range(0, 1_000).pipe(
        map((n) => ({ n })),
        appendTo(redis, { stream, maxLen: 250, exact: true }),
      ),
    );
    expect(await redis.xlen(stream)).toBe(250);
    await all(
      range(0, 1_000).pipe(
        map((n) => ({ n })),
        appendTo(redis, { stream, maxLen: 250 }),
      ),
    );
    expect(await redis.xlen(stream)).toBeGreaterThanOrEqual(250);
    expect(await redis.xlen(stream)).toBeLessThan(500);
    const [last] = await all(from([{ n: 1 }]).pipe(appendTo(redis, { stream })));
    await all(from([{ n: 2 }]).pipe(appendTo(redis, { stream, minId: () => last as string, exact: true })));
    expect(await redis.xlen(stream)).toBe(2);
  });

  it("fails for a stream that is not there, when asked to", async () => {
    const { redis, stream } = workbench();
    const one = from([{ n: 1 }]);
    const keyed = { stream, onMissingStream: "fail", idempotencyKey: () => "k" } as const;
    await expect(all(one.pipe(appendTo(redis, { stream, onMissingStream: "fail" })))).rejects.toMatchObject({ _tag: "StreamMissingError" });
    await expect(all(one.pipe(appendTo(redis, keyed)))).rejects.toMatchObject({ _tag: "StreamMissingError" });
    expect(await redis.exists(stream)).toBe(0);
    await redis.xadd(stream, "*", "a", "1");
    expect(await all(one.pipe(appendTo(redis, keyed)))).toHaveLength(1);
  });

  it("ends with what can't heal", async () => {
    const { redis, stream } = workbench();
    await redis.set(stream, "text");
    await expect(all(from([{ n: 1 }]).pipe(appendTo(redis, { stream })))).rejects.toMatchObject({ _tag: "WrongTypeError" });
  });

  it("confirms what came before a bad value, then ends with its name", async () => {
    const { redis, stream } = workbench();
    const ids: EntryId[] = [];
    const values = [
      { n: 1, note: "a" },
      { n: 2, note: "b" },
      { n: 3, note: undefined as unknown as string },
      { n: 4, note: "d" },
    ];
    const done = new Promise((resolve) =>
      from(values)
        .pipe(appendTo(redis, { stream }))
        .subscribe({ next: (id) => ids.push(id), error: resolve }),
    );
    expect(String(await done)).toMatch(/^TypeError: Expected field `note` to be .* got undefined$/);
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id)).toEqual(ids);
    expect(ids).toHaveLength(2);
  });

  it("with a key adds once: in a write, in another one, in another process' place, and answers the first id", async () => {
    const { redis, stream } = workbench();
    const keyed = { stream, idempotencyKey: ({ n }: { n: number }) => `order-${n}` };
    const once = await all(
      range(0, 600).pipe(
        map((n) => ({ n: n % 300 })),
        appendTo(redis, keyed),
      ),
    );
    expect(once.slice(300)).toEqual(once.slice(0, 300));
    const again = await all(
      range(0, 1_000).pipe(
        map((n) => ({ n })),
        appendTo(redis, keyed),
      ),
    );
    expect(again.slice(0, 300)).toEqual(once.slice(0, 300));
    expect(await redis.xlen(stream)).toBe(1_000);
    const info = (await redis.xinfo("STREAM", stream)) as unknown[];
    const helpers = await helperKeysOf(redis, stream);
    afterwards(() => helpers.length > 0 && redis.del(...helpers));
    if (info.includes("idmp-duration")) {
      expect(info[info.indexOf("idmp-duration") + 1]).toBe(600);
      expect(helpers).toEqual([]);
    } else {
      expect(helpers).toHaveLength(1_000);
      expect(await redis.pttl(helpers[0]!)).toBeGreaterThan(500_000);
    }
  });

  it("with a key forgets it after idempotencyMs", async () => {
    const { redis, stream } = workbench();
    const keyed = { stream, idempotencyKey: () => "same", idempotencyMs: 1_000 };
    const isThere = async (count: number): Promise<boolean> => {
      await all(from([{ n: 1 }]).pipe(appendTo(redis, keyed)));
      return (await redis.xlen(stream)) >= count;
    };
    expect(await isThere(2)).toBe(false);
    const remembers = ((await redis.xinfo("STREAM", stream)) as unknown[]).includes("idmp-duration");
    if (!remembers) await until(() => isThere(2), "the key is forgotten");
    else expect(await isThere(2)).toBe(false); // the stream's own limit, 100 s, is not lowered
  });

  it("with a key, a write whose reply is lost is there once; without, it may be there twice", async () => {
    const { redis, stream } = workbench();
    const { proxy, client } = await throughProxy();
    await redis.xadd(stream, "*", "first", "1"); // both scripts are known from here on
    const cut = proxy.cutReplyWhen((request) => request.includes("evalsha") && request.includes("payload") && request.includes(stream));
    const keyed = { stream, idempotencyKey: ({ n }: { n: number }) => `order-${n}` };
    await all(from([{ n: -1 }]).pipe(appendTo(client, keyed)));
    const ids = await all(
      range(0, 100).pipe(
        map((n) => ({ n, payload: "payload" })),
        appendTo(client, keyed),
      ),
    );
    await cut;
    expect(new Set(ids).size).toBe(100);
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id).slice(2)).toEqual(ids);
    const helpers = await helperKeysOf(redis, stream);
    if (helpers.length > 0) await redis.del(...helpers);

    const cutAgain = proxy.cutReplyWhen((request) => request.includes("evalsha") && request.includes("again") && request.includes(stream));
    const status: AppendStatus[] = [];
    const heard = { next: (each: AppendStatus) => void status.push(each) };
    await all(from([{ n: 1, payload: "again" }]).pipe(appendTo(client, { stream, status: heard })));
    await cutAgain;
    expect(await redis.xlen(stream)).toBe(104);
    expect(status.map(({ _tag }) => _tag)).toEqual(["reconnecting", "appending"]);
  });

  it("waits while Redis is out of memory, says so, and goes on in order", async () => {
    const server = await ownServer();
    const { redis, stream } = workbench(server.url);
    await redis.config("SET", "maxmemory", "1");
    await redis.config("SET", "maxmemory-policy", "noeviction");
    const status: AppendStatus[] = [];
    const heard = { next: (each: AppendStatus) => void status.push(each) };
    const running = run(
      range(0, 1_200).pipe(
        map((n) => ({ n })),
        appendTo(redis, { stream, status: heard }),
      ),
    );
    await until(() => status.length >= 2, "it has said so");
    expect(status[0]).toMatchObject({ _tag: "hindered", stream, attempt: 1, cause: { message: expect.stringMatching(/^OOM/) as string } });
    expect(running.values).toEqual([]);
    await redis.config("SET", "maxmemory", "0");
    await until(() => running.isDone, "all are written");
    expect(running.error).toBeUndefined();
    expect((await redis.xrange(stream, "-", "+")).map(([, pairs]) => Number(pairs[1]))).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
    expect(status.at(-1)).toEqual({ _tag: "appending" });
  });

  it("writes to several streams, and emits the ids in the order of the values", async () => {
    const { redis, stream } = workbench();
    const streams = [0, 1, 2].map((n) => `${stream}:${n}`);
    afterwards(() => redis.del(...streams));
    const ids = await all(range(0, 300).pipe(appendTo(redis, { stream: (n) => streams[n % 3]!, fields: (n) => ({ n }) })));
    for (const [place, name] of streams.entries()) {
      const entries = await redis.xrange(name, "-", "+");
      expect(entries.map(([id]) => id)).toEqual(ids.filter((_, n) => n % 3 === place));
      expect(entries.map(([, pairs]) => Number(pairs[1]) % 3)).toEqual(new Array(100).fill(place));
    }
  });
});

describe("appendAll", () => {
  it("takes no more than is confirmed and two writes", async () => {
    const { redis, stream } = workbench();
    let taken = 0;
    let most = 0;
    let confirmed = 0;
    function* numbers(): Generator<{ n: number }> {
      for (; taken < 20_000;) {
        taken += 1;
        most = Math.max(most, taken - confirmed);
        yield { n: taken };
      }
    }
    await lastValueFrom(appendAll(redis, numbers(), { stream, maxBatch: 100 }).pipe(map(() => (confirmed += 1))));
    expect(await redis.xlen(stream)).toBe(20_000);
    expect(most).toBeLessThanOrEqual(200);
  });

  it("takes from async iterables, writes what there is, and ends them when nobody listens", async () => {
    const { redis, stream } = workbench();
    let isEnded = false;
    async function* slow(): AsyncGenerator<{ n: number }> {
      try {
        for (let n = 0; ; n += 1) yield Promise.resolve({ n });
      } finally {
        isEnded = true;
      }
    }
    const running = run(appendAll(redis, slow(), { stream, maxLen: 1_000 }));
    await until(() => running.values.length > 3_000, "some are written");
    running.subscription.unsubscribe();
    await until(() => isEnded, "the generator was told to end");
    await expectNoConnections(redis);
  });
});

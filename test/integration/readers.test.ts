import { randomBytes } from "node:crypto";
import { describe, expect, inject, it } from "vitest";
import type { Payload } from "../../src/model/payload.js";
import type { ReadRequest, StreamReader } from "../../src/redis/port.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import { IoredisReader } from "../../src/redis/ioredis-reader.js";
import { dribble } from "../support/dribble.js";
import { Redis } from "../support/ioredis.js";
import { noteReads, type NotedReads } from "../support/noted-reads.js";
import { until } from "../support/until.js";
import { afterwards, workbench, type Workbench } from "../support/workbench.js";

const consumer = "me";

interface Bench extends Workbench {
  readonly reader: StreamReader & { read(request: ReadRequest): PromiseLike<unknown> };
  readonly request: ReadRequest;
  readonly decoded: NotedReads["decoded"];
}

describe.each(["fast", "portable"] as const)("the %s reader", (kind) => {
  /** A reader of a new group, on a connection of its own. */
  async function bench(payload: Payload = "string", client?: Redis): Promise<Bench> {
    const base = workbench();
    const { client: noted, decoded } = noteReads(client ?? base.redis);
    await base.redis.xgroup("CREATE", base.stream, base.group, "0", "MKSTREAM");
    const reader = toPort(noted).openReader({ payload, reader: kind, fellBack: (reason) => { throw new Error(reason); } }); // prettier-ignore
    afterwards(() => reader.close());
    const request = { group: base.group, consumer, streams: [base.stream], count: 1_000, blockMs: undefined };
    return { ...base, reader: reader as Bench["reader"], request, decoded };
  }

  const rows = (page: unknown): unknown => (page as { entries: unknown }[])[0]?.entries;

  it("reads text", async () => {
    const { redis, stream, reader, request, add, decoded } = await bench();
    const values = ["", "a", "ä ✓ 🎈", "x".repeat(300_000), "\r\n$3\r\nabc", "z".repeat(60), "ü".repeat(2_000)];
    await add(2_500, (n) => ({ n: String(n), [`näme ${n % 3}`]: values[n % 700] ?? "v", "": "" }));
    const expected = await redis.xrange(stream, "-", "+");
    const read = [await reader.read(request), await reader.read(request), await reader.read(request)];
    expect(read.flatMap(rows)).toEqual(expected);
    expect(await reader.read(request)).toEqual([]);
    expect(decoded).toEqual(kind === "fast" ? { byIoredis: 0, elsewhere: 4 } : { byIoredis: 3, elsewhere: 1 });
  });

  it("reads bytes as they are, and text from bytes that are none", async () => {
    const [asBytes, asText] = [await bench("buffer"), await bench("string")];
    const values = [Buffer.alloc(0), Buffer.from([255, 0, 13, 10]), Buffer.from([0xe2, 0x82]), randomBytes(70_000), randomBytes(600)];
    for (const { redis, stream, reader, request } of [asBytes, asText]) {
      for (const value of values) await redis.xadd(stream, "*", value, value, "n", "1");
      const expected = reader === asBytes.reader ? await redis.xrangeBuffer(stream, "-", "+") : await redis.xrange(stream, "-", "+");
      expect(rows(await reader.read(request))).toEqual(expected.map(([id, pairs]) => [String(id), pairs]));
    }
  });

  it("reads several streams under the names that the user gave them", async () => {
    const prefixed = new Redis(inject("redisUrl"), { keyPrefix: "app:" });
    afterwards(() => prefixed.disconnect());
    const { stream, reader, request, redis, group } = await bench("string", prefixed);
    const streams = [stream, `${stream}:b`, `${stream}:c`];
    for (const name of streams) {
      await redis.xgroup("CREATE", `app:${name}`, group, "0", "MKSTREAM");
      afterwards(() => redis.del(`app:${name}`));
    }
    for (const name of [streams[0]!, streams[2]!]) for (let n = 0; n < 3; n += 1) await redis.xadd(`app:${name}`, "*", "n", n);
    const pages = (await reader.read({ ...request, streams })) as { stream: string; entries: unknown[] }[];
    expect(pages.map(({ stream: name, entries }) => [name, entries.length])).toEqual([[streams[0], 3], [streams[2], 3]]); // prettier-ignore
  });

  it("reads a stream without a group", async () => {
    const { redis, stream, reader, add } = await bench();
    await add(10);
    const expected = await redis.xrange(stream, "-", "+");
    expect(await reader.tail({ stream, after: "0-0" as never, count: 100, blockMs: 100 })).toEqual(expected);
    expect(await reader.tail({ stream, after: expected.at(-1)![0] as never, count: 100, blockMs: 20 })).toEqual([]);
  });

  it("claims in a read, where the server can", async () => {
    const { redis, stream, group, reader, request, add } = await bench();
    const ids = await add(5);
    await redis.call("xreadgroup", "group", group, "other", "count", "3", "streams", stream, ">");
    await redis.xdel(stream, ids[1]!);
    const [page] = (await reader.read({ ...request, claimIdleMs: 0 })) as { claimed?: number; entries: unknown[] }[];
    if (!reader.claims) {
      expect(rows([page])).toEqual([[ids[3], ["n", "3"]], [ids[4], ["n", "4"]]]); // prettier-ignore
      return;
    }
    expect(page!.entries.filter((entry) => (entry as unknown[])[1] !== null)).toEqual([
      [ids[0], ["n", "0"], 2],
      [ids[2], ["n", "2"], 2],
      [ids[3], ["n", "3"], 1],
      [ids[4], ["n", "4"], 1],
    ]);
    expect(page!.claimed).toBe(page!.entries.length - 2);
    expect(await reader.read({ ...request, claimIdleMs: 60_000 })).toEqual([]);
  });

  it.skipIf(process.env["IOREDIS"] === "5")("reads the replies of RESP3", async () => {
    const { redis, group, request, add } = await bench();
    const ids = await add(3);
    const reader = new IoredisReader(() => redis.duplicate({ protocol: 3, retryStrategy: null }), (name) => name, { reader: kind }); // prettier-ignore
    afterwards(() => reader.close());
    expect(rows(await reader.read({ ...request, count: 2 }))).toEqual([[ids[0], ["n", "0"]], [ids[1], ["n", "1"]]]); // prettier-ignore
    const page = await reader.read({ ...request, claimIdleMs: 0 });
    expect(page[0]!.entries).toHaveLength(reader.claims ? 3 : 1);
    expect(await reader.read({ ...request, blockMs: 10 })).toEqual([]);
    await expect(reader.read({ ...request, group: `${group}-missing` })).rejects.toThrow(/^NOGROUP/);
  });

  it("waits, and comes back with nothing or with what was added meanwhile", async () => {
    const { reader, request, add } = await bench();
    expect(await reader.read({ ...request, blockMs: 30 })).toEqual([]);
    const read = reader.read({ ...request, blockMs: 5_000 });
    const [id] = await add(1);
    expect(rows(await read)).toEqual([[id, ["n", "0"]]]);
  });

  it("keeps two reads under way apart", async () => {
    const { redis, stream, reader, request, add } = await bench();
    await add(1_500);
    const both = await Promise.all([reader.read(request), reader.read(request)]);
    expect(both.flatMap(rows)).toEqual(await redis.xrange(stream, "-", "+"));
  });

  it("passes on what the server refuses, and reads on", async () => {
    const { redis, reader, request, add } = await bench();
    const missing = reader.read({ ...request, group: "missing" });
    const [read] = [reader.read(request), await add(1)];
    await expect(missing).rejects.toThrow(/^NOGROUP/);
    await read;
    await redis.set(`${request.streams[0]!}:text`, "x", "PX", 5_000);
    await expect(reader.read({ ...request, streams: [`${request.streams[0]!}:text`] })).rejects.toThrow(/^WRONGTYPE/);
    const [id] = await add(1);
    expect(JSON.stringify(await reader.read(request))).toContain(id);
  });

  /** The reader's own id, when it is blocked. */
  const blocked = async (redis: Redis): Promise<string> => {
    let id: string | undefined;
    await until(async () => {
      const list = String(await redis.call("client", "list")).split("\n");
      id = list.filter((line) => /name=rxjs-redis-streams:reader.*flags=\S*b/.test(line)).map((line) => /id=(\d+)/.exec(line)![1]).at(-1); // prettier-ignore
      return id !== undefined;
    }, "a read is blocked");
    return id!;
  };

  it("is woken by CLIENT UNBLOCK, with nothing or with an error", async () => {
    const { redis, reader, request, add } = await bench();
    const woken = reader.read({ ...request, blockMs: 10_000 });
    await redis.call("client", "unblock", await blocked(redis));
    expect(await woken).toEqual([]);
    const failed = reader.read({ ...request, blockMs: 10_000 });
    await redis.call("client", "unblock", await blocked(redis), "error");
    await expect(failed).rejects.toThrow(/^UNBLOCKED/);
    await add(1);
    expect(rows(await reader.read(request))).toHaveLength(1);
  });

  it("fails with its connection", async () => {
    const { redis, reader, request } = await bench();
    const [first, second] = [reader.read({ ...request, blockMs: 10_000 }), reader.read(request)];
    const killed = Promise.all([expect(first).rejects.toThrow(/closed/), expect(second).rejects.toThrow(/closed/)]);
    await redis.call("client", "kill", "id", await blocked(redis));
    await killed;
    await expect(reader.read(request)).rejects.toThrow(/closed/);
  });

  it("makes nothing of a reply that breaks off in the middle", async () => {
    const { port, cutReplyWith } = await dribble();
    const client = new Redis(port, "127.0.0.1");
    afterwards(() => client.disconnect());
    const { reader, request, add, pending } = await bench("string", client);
    await add(100);
    const cut = cutReplyWith(request.streams[0]!);
    await expect(reader.read(request)).rejects.toThrow(/closed/);
    await cut;
    expect(await pending()).toBe(100);
  });

  it.each([1, 2, 7])("reads what comes %i bytes at a time", async (pieceBytes) => {
    const { port } = await dribble({ pieceBytes });
    const client = new Redis(port, "127.0.0.1");
    afterwards(() => client.disconnect());
    const { redis, stream, reader, request, add } = await bench("string", client);
    await add(30, (n) => ({ n: String(n), "näme": "✓\r\n" }));
    expect(rows(await reader.read({ ...request, count: 20 }))).toEqual(await redis.xrange(stream, "-", "+", "COUNT", 20));
    expect(rows(await reader.read(request))).toHaveLength(10);
  });
}); // prettier-ignore

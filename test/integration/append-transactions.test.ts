import { randomUUID } from "node:crypto";
import { lastValueFrom, map, range, toArray, type Observable } from "rxjs";
import { appendAll, appendTo, type AppendStatus } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { toRetention } from "../../src/model/retention.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { AppendRequest, StreamAppends } from "../../src/redis/port.js";
import { clusterClient } from "../support/cluster-client.js";
import { dribble } from "../support/dribble.js";
import { Cluster, Redis } from "../support/ioredis.js";
import { moveSlot } from "../support/move-slot.js";
import { ownServer } from "../support/own-server.js";
import { selfSigned } from "../support/self-signed.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, run, workbench } from "../support/workbench.js";

type Words = readonly (string | Buffer)[];
type Options = Partial<Omit<AppendRequest, "entries">>;

const ways = ["by transactions", "by the script"] as const;
type Way = (typeof ways)[number];

/** The connection's `call` is bound: nothing can be made by it that is not sent. */
function scriptOnly<C extends Redis | Cluster>(client: C): C {
  const duplicate = client.duplicate.bind(client) as (...args: never[]) => Redis;
  return Object.assign(client, {
    duplicate: (...args: never[]) => {
      const made = duplicate(...args);
      return Object.assign(made, { call: made.call.bind(made) });
    },
  });
}

interface Appender {
  readonly appends: StreamAppends;
  /** Adds entries, whose words are given; the ids. */
  readonly append: (stream: string, entries: readonly Words[], options?: Options) => Promise<readonly string[]>;
}

/** One that has found out how it can write, but for what is `cold`. */
async function appender(redis: Redis | Cluster, way: Way, { cold = false } = {}): Promise<Appender> {
  const appends = toPort(way === "by the script" ? scriptOnly(redis) : redis).openAppends();
  afterwards(() => appends.close());
  const append: Appender["append"] = (stream, entries, options = {}) => {
    const defaults = { retention: undefined, onMissingStream: "create", rememberMs: 600_000 } as const;
    const request = { ...defaults, ...options, entries: entries.map((pairs) => ({ pairs, key: undefined })) };
    return appends.append(stream, request) as unknown as Promise<readonly string[]>;
  };
  if (!cold) for (let n = 0; n < 3; n += 1) await append(`test:${randomUUID()}`, [["warm", "up"]]).catch(() => undefined);
  return { appends, append };
}

const numbered = (count: number, from = 0): string[][] => Array.from({ length: count }, (_, n) => ["n", String(from + n)]);
const numbersIn = async (redis: Redis | Cluster, stream: string): Promise<number[]> =>
  (await redis.xrange(stream, "-", "+")).map(([, pairs]) => Number(pairs[1]));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const all = <A>(source: Observable<A>): Promise<A[]> => lastValueFrom(source.pipe(toArray()));

/** How often the server ran a command. */
async function callsOf(redis: Redis, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await redis.info("commandstats"))?.[1] ?? 0);
}

describe.each(ways)("entries that are added %s", (way) => {
  it("have the words as they are given, and their ids are answered", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    const { append } = await appender(redis, way);
    await redis.config("RESETSTAT");
    const entries: Words[] = [
      ["a", "1"],
      ["ü", "✓ 🎏", "", ""],
      ["b", Buffer.from([0, 255, 13, 10, 36]), Buffer.from("name"), "after"],
      ["a", "1", "a", "2"],
      ["large", "x".repeat(1_000_000), "é", "é".repeat(500_000)],
      ["bytes", Buffer.alloc(1_000_000, 7)],
      ["\r\n", "$5\r\n*3"],
    ];
    const ids = await append(stream, entries);
    const found = await redis.xrangeBuffer(stream, "-", "+");
    expect(found.map(([id]) => id.toString())).toEqual(ids);
    expect(found.map(([, words]) => words.map((word) => word.toString("latin1")))).toEqual(
      entries.map((words) => words.map((word) => Buffer.from(word as Buffer).toString("latin1"))),
    );
    expect(await callsOf(redis, way === "by the script" ? "evalsha" : "exec")).toBe(1);
  });

  it("are kept as many as asked for", async () => {
    const { redis, stream } = workbench();
    const { append } = await appender(redis, way);
    const retention = (keep: Parameters<typeof toRetention>[0], exact: boolean): Options => ({ retention: toRetention(keep, exact)() });
    const ids = await append(stream, numbered(1_000), retention({ maxLen: 10 }, true));
    expect(await redis.xlen(stream)).toBe(10);
    expect(ids).toHaveLength(1_000);
    await append(stream, numbered(1_000), retention({ maxLen: 10 }, false));
    expect(await redis.xlen(stream)).toBeLessThan(300);
    await append(stream, numbered(1), retention({ minId: (await append(stream, numbered(1)))[0]! }, true));
    expect(await redis.xlen(stream)).toBe(2);
  });

  it("are not added to what is missing, or is no stream", async () => {
    const { redis, stream } = workbench();
    const { append } = await appender(redis, way);
    expect(await append(stream, numbered(3), { onMissingStream: "fail" })).toEqual([]);
    expect(await redis.exists(stream)).toBe(0);
    await redis.set(stream, "text");
    await expect(append(stream, numbered(3))).rejects.toThrow(/^WRONGTYPE/);
    await redis.del(stream);
    expect(await append(stream, numbered(3))).toHaveLength(3);
  });

  it("are added up to the last id there can be, and the error comes then", async () => {
    const { redis, stream } = workbench();
    const { append } = await appender(redis, way);
    await redis.xadd(stream, "18446744073709551615-18446744073709551614", "n", "0");
    expect(await append(stream, numbered(3))).toEqual(["18446744073709551615-18446744073709551615"]);
    await expect(append(stream, numbered(3))).rejects.toThrow(/exhausted the last possible ID/);
  });

  it("are all refused while Redis is out of memory", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    const { append } = await appender(redis, way);
    await redis.config("SET", "maxmemory", "1");
    await expect(append(stream, numbered(500))).rejects.toThrow(/^OOM/);
    await redis.config("SET", "maxmemory", "0");
    expect(await redis.exists(stream)).toBe(0);
    expect(await append(stream, numbered(500))).toHaveLength(500);
    expect(await numbersIn(redis, stream)).toEqual(upTo(500));
  });

  it("wait for a server that pauses, and for one that is a replica for a while", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    const { append, appends } = await appender(redis, way);
    await redis.call("client", "pause", "300", "write");
    expect(await append(stream, numbered(500))).toHaveLength(500);
    let breaks = 0;
    const watching = appends.broken.subscribe(() => (breaks += 1));
    await redis.call("replicaof", "127.0.0.1", "1");
    const ids = append(stream, numbered(500, 500));
    await until(() => breaks >= 2, "it looks for a master");
    await redis.call("replicaof", "no", "one");
    expect(await ids).toHaveLength(500);
    expect(await numbersIn(redis, stream)).toEqual(upTo(1_000));
    watching.unsubscribe();
  });

  it("are refused to who may not add them", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    await redis.call("acl", "setuser", "writer", "on", ">secret", "~*", "+@all");
    const user = redis.duplicate({ username: "writer", password: "secret" });
    afterwards(() => user.disconnect());
    const { append } = await appender(user, way);
    await redis.call("acl", "setuser", "writer", "-xadd");
    await expect(append(stream, numbered(3))).rejects.toThrow(/NOPERM|can't run this command|ACL failure/);
    await redis.call("acl", "setuser", "writer", "+xadd");
    expect(await append(stream, numbered(3))).toHaveLength(3);
  });

  it("go to the key with the client's prefix", async () => {
    const { redis, stream } = workbench();
    const client = redis.duplicate({ keyPrefix: "pre:" });
    afterwards(() => client.disconnect());
    afterwards(() => redis.del(`pre:${stream}`));
    const { append } = await appender(client, way);
    await append(stream, numbered(3));
    expect(await redis.xlen(`pre:${stream}`)).toBe(3);
  });

  it("are added over TLS, their answers in pieces", async ({ skip }) => {
    const tls = await selfSigned();
    if (tls === undefined) return skip("there is no openssl");
    const { redis, stream } = workbench();
    const { port } = await dribble({ tls, pieceBytes: 700 });
    const client = new Redis({ port, host: "127.0.0.1", tls: { ca: tls.cert, checkServerIdentity: () => undefined } });
    afterwards(() => client.disconnect());
    const { append } = await appender(client, way);
    const ids = [...(await append(stream, numbered(300))), ...(await append(stream, numbered(300, 300)))];
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id)).toEqual(ids);
    expect(await numbersIn(redis, stream)).toEqual(upTo(600));
  });

  it("are added in a Cluster, also while a slot moves and when it has", async () => {
    const { cluster, nodes } = await clusterClient();
    const streams = Array.from({ length: 6 }, () => `test:${randomUUID()}`);
    const { append } = await appender(cluster, way);
    for (let round = 0; round < 4; round += 1) await Promise.all(streams.map((stream) => append(stream, numbered(50, 50 * round))));
    const moved = streams[0]!;
    await moveSlot(cluster, moved, nodes, () => append(moved, numbered(50, 200)));
    for (let round = 5; round < 8; round += 1) await append(moved, numbered(50, 50 * round));
    expect(await numbersIn(cluster, moved)).toEqual(upTo(400));
    for (const stream of streams.slice(1)) expect(await numbersIn(cluster, stream)).toEqual(upTo(200));
    const transactions = await Promise.all(cluster.nodes("master").map((node) => callsOf(node, "exec")));
    const total = transactions.reduce((sum, count) => sum + count, 0);
    if (way === "by transactions") expect(total).toBeGreaterThan(10);
    else expect(total).toBe(0);
  });

  it("are written again when their connection breaks before the answer, behind what they repeat", async () => {
    const { redis, stream } = workbench();
    const proxy = await startProxy(inject("redisUrl"));
    afterwards(() => proxy.close());
    const client = new Redis(proxy.url);
    afterwards(() => client.disconnect());
    const { append } = await appender(client, way);
    await append(stream, numbered(10));
    const cut = proxy.cutReplyWhen((request) => request.includes("lost"));
    const ids = await append(stream, [["n", "10", "x", "lost"], ...numbered(9, 11)]);
    await cut;
    await append(stream, numbered(10, 20));
    expect(await numbersIn(redis, stream)).toEqual([...upTo(20), ...upTo(20).slice(10), ...upTo(30).slice(20)]);
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id).slice(20, 30)).toEqual(ids);
  });
});

describe("appendTo", () => {
  it("writes transactions once it is under way, and confirms each value in order", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    const numbers = range(0, 5_000).pipe(map((n) => ({ n })));
    const ids = await all(numbers.pipe(appendTo(redis, { stream, maxBatch: 100 })));
    expect((await redis.xrange(stream, "-", "+")).map(([id]) => id)).toEqual(ids);
    expect(await numbersIn(redis, stream)).toEqual(upTo(5_000));
    expect(await callsOf(redis, "exec")).toBeGreaterThan(45);
    expect(await callsOf(redis, "evalsha")).toBeLessThan(4);
    await expectNoConnections(redis);
  });

  it("writes a single value by the script alone", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    await all(range(0, 1).pipe(appendTo(redis, { stream, fields: (n) => ({ n }) })));
    expect(await callsOf(redis, "multi")).toBe(0);
  });

  it("adds each key once by transactions where the stream remembers keys", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    const keyed = { stream, maxBatch: 50, fields: (n: number) => ({ n }), idempotencyKey: (n: number) => `é ${n % 300}` };
    const ids = await all(range(0, 1_000).pipe(appendTo(redis, keyed)));
    expect(ids.slice(300, 600)).toEqual(ids.slice(0, 300));
    expect(await numbersIn(redis, stream)).toEqual(upTo(300));
    const remembers = ((await redis.xinfo("STREAM", stream)) as unknown[]).includes("idmp-duration");
    expect((await callsOf(redis, "exec")) > 10).toBe(remembers);
  });

  it.each(["multi", "exec"])("keeps to the script where the ACL forbids %s", async (command) => {
    const { redis, stream } = workbench((await ownServer()).url);
    await redis.call("acl", "setuser", "writer", "on", ">secret", "~*", "+@all", `-${command}`);
    const user = redis.duplicate({ username: "writer", password: "secret" });
    afterwards(() => user.disconnect());
    const numbers = range(0, 1_000).pipe(map((n) => ({ n })));
    await all(numbers.pipe(appendTo(user, { stream, maxBatch: 100 })));
    expect(await numbersIn(redis, stream)).toEqual(upTo(1_000));
    expect(await callsOf(redis, "evalsha")).toBeGreaterThan(9);
    await redis.call("acl", "setuser", "writer", `+${command}`);
  });

  it("sends no transaction again on a connection that has not allowed one", async () => {
    const server = await ownServer();
    const { redis, stream } = workbench(server.url);
    await redis.call("acl", "setuser", "writer", "on", ">secret", "~*", "+@all");
    const proxy = await startProxy(server.port);
    afterwards(() => proxy.close());
    const client = new Redis(proxy.port, { username: "writer", password: "secret" });
    client.on("error", () => undefined);
    afterwards(() => client.disconnect());
    const { append } = await appender(client, "by transactions");
    await append(stream, numbered(10));
    expect([await callsOf(redis, "exec"), await callsOf(redis, "evalsha")]).toEqual([3, 2]);
    proxy.hold();
    const ids = append(stream, numbered(10, 10));
    await redis.call("acl", "setuser", "writer", "-multi");
    proxy.reset();
    expect(await ids).toHaveLength(10);
    expect(await numbersIn(redis, stream)).toEqual(upTo(20));
    expect(await callsOf(redis, "evalsha")).toBe(3);
  });

  it("goes on by the script when the ACL forbids it under way", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    await redis.call("acl", "setuser", "writer", "on", ">secret", "~*", "+@all");
    const user = redis.duplicate({ username: "writer", password: "secret" });
    afterwards(() => user.disconnect());
    let taken = 0;
    function* numbers(): Generator<{ n: number }> {
      for (; taken < 20_000; taken += 1) yield { n: taken };
    }
    const running = run(appendAll(user, numbers(), { stream, maxBatch: 50 }));
    await until(() => running.values.length > 2_000, "it is under way", { everyMs: 1 });
    await redis.call("acl", "setuser", "writer", "-multi");
    await until(() => running.isDone, "all are added");
    expect(running.error).toBeUndefined();
    expect(await numbersIn(redis, stream)).toEqual(upTo(20_000));
    expect(await callsOf(redis, "evalsha")).toBeGreaterThan(10);
  });

  it("keeps the order when its connections are killed and the server is, and adds no more than a write again", async () => {
    const server = await ownServer({ durable: true });
    const { redis, stream } = workbench(server.url);
    const status: AppendStatus[] = [];
    const running = run(
      range(0, 40_000).pipe(map((n) => ({ n })), appendTo(redis, { stream, maxBatch: 100, status: { next: (each) => void status.push(each) } })), // prettier-ignore
    );
    for (let kills = 1; kills <= 5; kills += 1) {
      await until(() => running.values.length > kills * 2_000 || running.isDone, "it goes on", { everyMs: 1 });
      await redis.call("client", "kill", "type", "normal", "skipme", "yes");
    }
    await until(() => running.values.length > 20_000, "it goes on", { everyMs: 1 });
    await server.kill();
    await server.restart();
    await until(() => running.isDone && redis.status === "ready", "all are confirmed");
    expect(running.error).toBeUndefined();
    expect(running.values).toHaveLength(40_000);
    expect(status.filter(({ _tag }) => _tag === "reconnecting").length).toBeGreaterThan(1);
    const found = await redis.xrange(stream, "-", "+");
    const lastOf = new Map(found.map(([id, pairs]) => [Number(pairs[1]), id]));
    expect([...lastOf.keys()]).toEqual(upTo(40_000));
    expect(running.values).toEqual(upTo(40_000).map((n) => lastOf.get(n)));
    expect(found.length).toBeLessThanOrEqual(40_000 + 6 * 100);
  });

  it("waits between attempts when the server can't take a value so long", async () => {
    const { redis, stream } = workbench((await ownServer()).url);
    await redis.config("SET", "proto-max-bulk-len", "1048576");
    const running = run(range(0, 300).pipe(appendTo(redis, { stream, maxBatch: 50, fields: (n) => ({ n, x: n === 200 ? "x".repeat(1_100_000) : "" }) }))); // prettier-ignore
    await until(() => running.values.length >= 150, "those before it are there");
    await redis.config("SET", "proto-max-bulk-len", "536870912");
    await until(() => running.isDone, "it is there as well");
    const found = await numbersIn(redis, stream);
    expect([...new Set(found)]).toEqual(upTo(300));
  });
});

import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acknowledge, bufferAck, fromGroup, fromStream } from "rxjs-redis-streams";
import { map } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { clusterClient } from "../support/cluster-client.js";
import { dribble } from "../support/dribble.js";
import { Cluster, Redis } from "../support/ioredis.js";
import { moveSlot } from "../support/move-slot.js";
import { noteReads } from "../support/noted-reads.js";
import { freePort } from "../support/redis-server/free-port.js";
import { findProgram } from "../support/redis-server/start-server.js";
import { toSearch } from "../support/redis-server/search.js";
import { watch } from "../support/redis-server/watcher.js";
import { folder, selfSigned } from "../support/self-signed.js";
import { until } from "../support/until.js";
import { afterwards, expectNoConnections, run, StatusLog, total, workbench } from "../support/workbench.js";

/** Handles what is in the stream with the fast reader alone, until all of it is acknowledged. */
async function drain(
  client: unknown,
  { stream, group }: { stream: string; group: string },
  count: number,
  status = new StatusLog(),
): Promise<void> {
  const pipeline = run(
    fromGroup(client as Redis, { stream, group, startId: "0", reader: "fast", blockMs: 200, maxInFlight: 200, status }).pipe(
      bufferAck(),
      acknowledge(client as Redis),
    ),
  );
  await until(() => total(pipeline.values, "acked") >= count || pipeline.isDone, "all are acknowledged");
  expect(pipeline.error).toBeUndefined();
  expect(total(pipeline.values, "acked")).toBe(count);
  expect(status.of("readerFellBack")).toEqual([]);
  pipeline.subscription.unsubscribe();
}

describe("the fast reader", () => {
  it("reads over TLS", async ({ skip }) => {
    const tls = await selfSigned();
    if (tls === undefined) return skip("there is no openssl");
    const bench = workbench();
    await bench.add(2_000, (n) => ({ n: String(n), text: "✓".repeat(40) }));
    const { port } = await dribble({ tls });
    const redis = new Redis({ port, host: "127.0.0.1", tls: { ca: tls.cert, checkServerIdentity: () => undefined } });
    afterwards(() => redis.disconnect());
    const { client, decoded } = noteReads(redis);
    await drain(client, bench, 2_000);
    expect(decoded.byIoredis).toBe(0);
    expect(decoded.elsewhere).toBeGreaterThan(9);
    await expectNoConnections(bench.redis);
  });

  it("reads from the master that a Sentinel names", async () => {
    const bench = workbench();
    await bench.add(500);
    const master = new URL(inject("redisUrl"));
    const [port, dir, program] = [await freePort(), await folder(), await findProgram(toSearch({}))];
    const config = join(dir, "sentinel.conf");
    await writeFile(config, `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor main ${master.hostname} ${master.port} 1\n`);
    const watcher = await watch([...program.command, config, "--sentinel"]);
    const sentinel = await watcher.run();
    afterwards(async () => {
      sentinel.signal("SIGKILL");
      await sentinel.ended;
      await watcher.end();
    });
    const redis = new Redis({ sentinels: [{ host: "127.0.0.1", port }], name: "main", sentinelRetryStrategy: () => 50 });
    redis.on("error", () => undefined);
    afterwards(() => redis.disconnect());
    await until(() => redis.status === "ready", "the Sentinel is asked");
    const { client, decoded } = noteReads(redis);
    await drain(client, bench, 500);
    expect(decoded.byIoredis).toBe(0);
  });

  it("reads every slot of a Cluster, also one that has moved", async () => {
    const { cluster, nodes } = await clusterClient();
    const streams = Array.from({ length: 6 }, () => `test:${randomUUID()}`);
    for (const stream of streams) for (let n = 0; n < 50; n += 1) await cluster.xadd(stream, "*", "n", n);
    const { client, decoded } = noteReads(cluster);
    const status = new StatusLog();
    const options = { stream: streams, group: "group", startId: "0", blockMs: 200, reader: "fast", status } as const;
    const pipeline = run(fromGroup(client as unknown as Cluster, options).pipe(bufferAck(), acknowledge(cluster)));
    await until(() => total(pipeline.values, "acked") === 300, "all are acknowledged");
    const moved = streams[0]!;
    await moveSlot(cluster, moved, nodes);
    for (let n = 0; n < 50; n += 1) await cluster.xadd(moved, "*", "n", n);
    await until(() => total(pipeline.values, "acked") === 350, "what was added after the move is acknowledged");
    expect(decoded.byIoredis).toBe(0);
    expect(status.of("readerFellBack")).toEqual([]);
  });

  it("loses nothing when connections break in the middle of replies", async () => {
    const { stream, group, add, pending } = workbench();
    const { port, cutReplyWith } = await dribble();
    const client = new Redis(port, "127.0.0.1");
    client.on("error", () => undefined);
    afterwards(() => client.disconnect());
    const [handled, status] = [new Set<string>(), new StatusLog()];
    const pipeline = run(
      fromGroup(client, { stream, group, startId: "0", reader: "fast", blockMs: 500, maxInFlight: 500, status }).pipe(
        map((delivery) => (handled.add(delivery.id), delivery)),
        bufferAck(),
        acknowledge(client),
      ),
    );
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const cut = cutReplyWith(`mark-${round}`);
      ids.push(...(await add(200, (n) => ({ n: String(n), mark: `mark-${round}` }))));
      await cut;
      await until(() => handled.size === ids.length, "the lost ones are handled");
    }
    await until(async () => (await pending()) === 0, "all are acknowledged");
    expect([...handled].sort()).toEqual([...ids].sort());
    expect(status.of("recovered").some(({ from }) => from === "self")).toBe(true);
    expect(pipeline.error).toBeUndefined();
  });

  it("tails a stream without a group", async () => {
    const { redis, stream, add } = workbench();
    const ids = await add(1_000);
    const { client, decoded } = noteReads(redis);
    const seen = run(fromStream(client as Redis, { stream, from: "0", reader: "fast", blockMs: 200 }).pipe(map(({ id }) => id)));
    await until(() => seen.values.length === 1_000, "all have come");
    expect(seen.values).toEqual(ids);
    expect(decoded.byIoredis).toBe(0);
  });

  it("speaks of it when a client of another kind has to be read the portable way, or gives up when nothing else will do", async () => {
    const { redis, stream, group, add, run: start } = workbench();
    await add(10);
    /** As if a later ioredis kept its queue elsewhere. */
    const other = {
      options: redis.options,
      duplicate: (...overrides: never[]) => {
        const { on, call, callBuffer, disconnect } = bound(redis.duplicate(...overrides));
        return { on, call, callBuffer, disconnect };
      },
    };
    const status = new StatusLog();
    const pipeline = start(fromGroup(other, { stream, group, startId: "0", status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => total(pipeline.values, "acked") === 10, "all are acknowledged");
    expect(status.of("readerFellBack")).toEqual([{ _tag: "readerFellBack", reason: "the connections of this client are not built as those of ioredis 5 and 6" }]); // prettier-ignore
    const failing = start(fromGroup(other, { stream, group, startId: "0", reader: "fast" }));
    await until(() => failing.isDone, "the source has ended");
    expect(failing.error).toBeInstanceOf(TypeError);
    expect(String(failing.error)).toContain('`reader: "fast"`');
  });
});

/** The methods of a connection, without the connection. */
function bound(redis: Redis): Pick<Redis, "on" | "call" | "callBuffer" | "disconnect"> {
  const names = ["on", "call", "callBuffer", "disconnect"] as const;
  return Object.fromEntries(names.map((name) => [name, (redis[name] as () => unknown).bind(redis)])) as never;
}

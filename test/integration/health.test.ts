import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toUndefined } from "fp-ts/lib/Option.js";
import { filter, map, mergeMap, NEVER, Subject, take, type Observable } from "rxjs";
import { acknowledge, bufferAck, fromClaims, fromGroup, health, type Delivery, type Health, type HealthOptions, type SourceStatus } from "rxjs-redis-streams"; // prettier-ignore
import { describe, expect, it } from "vitest";
import { docBlocks } from "../support/doc-blocks.js";
import { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { freePort } from "../support/redis-server/free-port.js";
import { startProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, total, workbench, type Workbench } from "../support/workbench.js";

/** A health that is watched until the test is over. */
class Watch {
  // eslint-disable-next-line rxjs-x/no-exposed-subjects -- it is what sources report to
  readonly status$ = new Subject<SourceStatus>();
  readonly seen: Health[] = [];

  constructor(options: HealthOptions = {}) {
    const watching = health(this.status$, { everyMs: 100, ...options }).subscribe((each) => this.seen.push(each));
    afterwards(() => watching.unsubscribe());
  }
  get now(): Health {
    return this.seen.at(-1)!;
  }
  get tags(): string[] {
    return this.now.reasons.map(({ _tag }) => _tag);
  }
  isReady = (): Promise<void> => until(() => this.now.ready, "it is ready");
  isNotReady = (): Promise<void> => until(() => !this.now.ready, "it is not ready", { timeoutMs: 20_000 });
  isNotLive = (): Promise<void> => until(() => !this.now.live, "it is not live", { timeoutMs: 20_000 });
}

const pipeline = ({ redis, stream, group, run }: Workbench, { status$ }: Watch, stalledAfterMs = 60_000) =>
  run(
    fromGroup(redis, { stream, group, startId: "0", blockMs: 200, stalledAfterMs, status: status$ }).pipe(bufferAck(), acknowledge(redis)),
  );

describe("the health of a pipeline", () => {
  it("is live and ready while its stream is idle, for longer than any bound", async () => {
    const bench = workbench();
    const watch = new Watch({ lateAfterMs: 300, stalledAfterMs: 500, silentAfterMs: 2_000 });
    pipeline(bench, watch);
    await watch.isReady();
    const begun = watch.seen.length;
    await until(() => watch.seen.length > begun + 35, "it was seen for a while");
    expect(watch.seen.slice(begun).every(({ live, ready }) => live && ready)).toBe(true);
    expect(toUndefined(watch.now.readAgeMs)).toBeLessThan(2_000);
    await bench.add(3);
    await until(() => toUndefined(watch.now.settlementAgeMs) !== undefined, "settlements have an age");
  });

  it.each<readonly [string, (server: Awaited<ReturnType<typeof ownServer>>) => unknown, (server: Awaited<ReturnType<typeof ownServer>>) => unknown]>([
    ["hangs", (server) => server.pause(), (server) => server.resume()],
    ["is killed", (server) => server.kill(), (server) => server.restart()],
  ])("of a server that %s is not ready, then not live, and both when it is back", { timeout: 60_000 }, async (_, stop, start) => {
    const server = await ownServer();
    const bench = workbench(server.url);
    const watch = new Watch({ lateAfterMs: 6_000 });
    const { values } = pipeline(bench, watch);
    await watch.isReady();
    await stop(server);
    await watch.isNotReady();
    expect(watch.now).toMatchObject({ live: true, ready: false });
    expect(watch.tags).toEqual(["reconnecting"]);
    await watch.isNotLive();
    expect(watch.tags).toEqual(["reconnecting", "late"]);
    await start(server);
    await watch.isReady();
    await bench.add(5);
    await until(() => total(values, "acked") === 5, "it works again");
    expect(watch.now).toMatchObject({ live: true, ready: true });
  }); // prettier-ignore

  it("is not ready when PING is answered and reads are not", { timeout: 60_000 }, async () => {
    const bench = workbench();
    const proxy = await startProxy(bench.redis.options.port!);
    afterwards(() => proxy.close());
    const client = new Redis(proxy.url);
    client.on("error", () => undefined);
    afterwards(() => client.disconnect());
    const watch = new Watch({ lateAfterMs: 2_000 });
    pipeline({ ...bench, redis: client }, watch);
    await watch.isReady();
    const cut = cutEveryRead((predicate) => proxy.cutReplyWhen(predicate));
    afterwards(() => (cut.over = true));
    await watch.isNotReady();
    expect(await client.ping()).toBe("PONG");
    expect(watch.tags).toContain("reconnecting");
    await watch.isNotLive();
    expect(watch.tags).toEqual(["reconnecting", "late"]);
    expect(await client.ping()).toBe("PONG");
    cut.over = true;
    await watch.isReady();
  });

  it("is not live when a handler hangs, and says so", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    const watch = new Watch();
    run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 2, stalledAfterMs: 800, status: watch.status$ }).pipe(
        mergeMap((): Observable<Delivery<unknown>> => NEVER),
        acknowledge(redis),
      ),
    );
    await watch.isReady();
    await bench.add(3);
    await watch.isNotLive();
    expect(watch.now.reasons).toMatchObject([{ _tag: "stalled", unsettled: 2 }]);
    expect(watch.now.sources).toMatchObject([{ state: "starved", live: false }]);
  });

  it("is not live when an operator has dropped a delivery, with or without others that are settled", async () => {
    for (const goesOn of [false, true]) {
      const bench = workbench();
      const { redis, stream, group, run, add } = bench;
      const watch = new Watch();
      run(
        fromGroup(redis, { stream, group, startId: "0", stalledAfterMs: 800, status: watch.status$ }).pipe(
          filter(({ value }) => value["n"] !== "7"),
          acknowledge(redis),
        ),
      );
      await watch.isReady();
      await add(10);
      const more = setInterval(() => goesOn && void add(1), 50);
      afterwards(() => clearInterval(more));
      await watch.isNotLive();
      clearInterval(more);
      expect(watch.now.reasons).toMatchObject([{ _tag: "stalled" }]);
    }
  });

  it("is live and ready while it is starved and its handlers work", async () => {
    const bench = workbench();
    const { redis, stream, group, run, add } = bench;
    const watch = new Watch({ lateAfterMs: 300 });
    await add(16);
    const { values } = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 4, stalledAfterMs: 1_000, status: watch.status$ }).pipe(
        mergeMap((delivery) => new Promise<typeof delivery>((resolve) => setTimeout(() => resolve(delivery), 300)), 1),
        acknowledge(redis),
      ),
    );
    await watch.isReady();
    await until(() => total(values, "acked") === 16, "all are handled");
    expect(watch.seen.slice(2).filter(({ live }) => !live)).toEqual([]);
    expect(watch.seen.some(({ sources }) => sources[0]?.state === "starved")).toBe(true);
  });

  it("is that of all its sources: one of three that fails is enough", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    const watch = new Watch();
    const bad = `${stream}:bad`;
    afterwards(() => redis.del(bad));
    await redis.set(bad, "no stream");
    pipeline(bench, watch);
    run(fromClaims(redis, { stream, group, minIdleMs: 1_000, everyMs: 200, status: watch.status$ }).pipe(acknowledge(redis)));
    await until(() => watch.now.ready && watch.now.sources.length === 2, "both are ready");
    run(fromGroup(redis, { stream: bad, group, startId: "0", consumer: "me", status: watch.status$ }).pipe(acknowledge(redis)));
    await watch.isNotLive();
    expect(watch.now.reasons).toEqual([{ _tag: "stopped", source: `${bad}/${group}/me`, how: "failed" }]);
    await redis.del(bad);
    run(fromGroup(redis, { stream: bad, group, startId: "0", status: watch.status$ }).pipe(acknowledge(redis)));
    await watch.isReady();
  });

  it("is not ready in a drain, and live", async () => {
    const { redis, stream, group, run, add } = workbench();
    const watch = new Watch();
    const stop = new AbortController();
    const release = new Subject<void>();
    const { values } = run(
      fromGroup(redis, { stream, group, startId: "0", signal: stop.signal, status: watch.status$ }).pipe(
        mergeMap((delivery) =>
          release.pipe(
            take(1),
            map(() => delivery),
          ),
        ),
        acknowledge(redis),
      ),
    );
    await add(1);
    await watch.isReady();
    await until(() => watch.now.unsettled === 1, "it is in flight");
    stop.abort();
    await watch.isNotReady();
    expect(watch.now).toMatchObject({ live: true, reasons: [{ _tag: "draining", unsettled: 1 }] });
    release.next();
    await until(() => watch.tags.includes("stopped"), "it is over");
    expect(watch.now).toMatchObject({ live: true, reasons: [{ how: "drained" }] });
    expect(total(values, "acked")).toBe(1);
  });
});

describe("the endpoint of docs/operations.md", () => {
  it("answers 200 when live and ready, and 503 with the reasons when not", async () => {
    const server = await ownServer();
    const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
    const recipe = docBlocks(root).find(({ code }) => code.includes("/livez"))!;
    const file = join(root, ".cache/health-recipe.ts");
    mkdirSync(join(root, ".cache"), { recursive: true });
    writeFileSync(file, recipe.code);
    const port = String(await freePort());
    const child = spawn(process.execPath, ["--import", "tsx", file], { cwd: root, env: { ...process.env, REDIS_URL: server.url, HEALTH_PORT: port }, stdio: "ignore" }); // prettier-ignore
    afterwards(() => child.kill("SIGKILL"));
    const ask = (path: string): Promise<number> => fetch(`http://127.0.0.1:${port}${path}`).then(({ status }) => status, () => 0); // prettier-ignore
    await until(async () => (await ask("/readyz")) === 200 && (await ask("/livez")) === 200, "it is ready");
    await server.kill();
    await until(async () => (await ask("/readyz")) === 503, "it is not ready");
    expect(await ask("/livez")).toBe(200);
    await server.restart();
    await until(async () => (await ask("/readyz")) === 200, "it is ready again");
  });
});

/** Loses the reply to every read, and its connection with it, until it is over. */
function cutEveryRead(cutReplyWhen: (predicate: (request: Buffer) => boolean) => Promise<void>): { over: boolean } {
  const state = { over: false };
  const next = (): unknown =>
    state.over ? undefined : cutReplyWhen((request) => !state.over && request.toString().toLowerCase().includes("xreadgroup")).then(next);
  next();
  return state;
}

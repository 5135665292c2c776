import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { acknowledge, bufferAck, dedupe, fixed, fromClaims, fromGroup, retryToDLQ, type Delivery } from "rxjs-redis-streams";
import { Subject } from "rxjs";
import { describe, expect, inject, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { messageFrom, startWorker } from "../support/worker.js";
import { afterwards, helperKeys, StatusLog, total, workbench } from "../support/workbench.js";

const clients = async ({ redis }: { readonly redis: { call: (...words: [string, string]) => Promise<unknown> } }): Promise<string[]> =>
  String(await redis.call("client", "list")).split("\n");

/** Faults that users of comparable systems met, see docs/field-lessons.md. */
describe("a blocked read", () => {
  it("that is ended by CLIENT UNBLOCK … ERROR is made again", async () => {
    const bench = workbench((await ownServer()).url);
    const { redis, stream, group, add, run } = bench;
    const status = new StatusLog();
    const { values } = run(fromGroup(redis, { stream, group, startId: "0", status }).pipe(bufferAck(), acknowledge(redis)));
    const blocked = async (): Promise<string | undefined> => (await clients(bench)).find((line) => line.includes("cmd=xreadgroup"));
    await until(async () => (await blocked()) !== undefined, "a read is blocked");
    const id = /id=(\d+)/.exec((await blocked())!)![1]!;
    expect(await redis.call("client", "unblock", id, "error")).toBe(1);
    await until(() => status.of("reconnecting").some(({ cause }) => String(cause).includes("UNBLOCKED")), "it is reported");
    await add(10);
    await until(() => total(values, "acked") === 10, "all are handled");
  });

  it("survives that its master becomes a replica, and a master again", async () => {
    const server = await ownServer();
    const { redis, stream, group, add, run, pending } = workbench(server.url);
    const status = new StatusLog();
    const { values } = run(fromGroup(redis, { stream, group, startId: "0", status }).pipe(bufferAck(), acknowledge(redis)));
    await add(10);
    await until(() => total(values, "acked") === 10, "the first are handled");
    await redis.config("SET", "replica-serve-stale-data", "yes");
    await redis.call("replicaof", "127.0.0.1", "1");
    await until(() => status.of("reconnecting").some(({ cause }) => /READONLY|UNBLOCKED/.test(String(cause))), "it is refused");
    await redis.call("replicaof", "no", "one");
    await add(10);
    await until(() => total(values, "acked") === 20, "the next are handled");
    expect(await pending()).toBe(0);
  });
});

describe("two consumers", () => {
  it("that claim the same stale entries at the same time get each of them once", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    const ids = await add(2_000);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "gone", "COUNT", 2_000, "STREAMS", stream, ">");
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // all of them stale, for whoever walks first
    const seen: string[] = [];
    const rescue = () =>
      run(
        fromClaims(redis, { stream, group, minIdleMs: 1_000, everyMs: 20 }).pipe(
          retryToDLQ((_, { id }) => void seen.push(id), { maxDeliveries: 5 }),
          bufferAck(),
          acknowledge(redis),
        ),
      );
    const both = [rescue(), rescue(), rescue()];
    await until(async () => seen.length >= 2_000 && (await pending()) === 0, "all are handled");
    expect(seen).toHaveLength(2_000);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(both.reduce((sum, { values }) => sum + total(values, "acked"), 0)).toBe(2_000);
  });

  it("that live under the same name lose nothing", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    const handled = new Set<string>();
    for (let n = 0; n < 2; n += 1) {
      run(
        fromGroup(redis, { stream, group, startId: "0", consumer: "same", leaseMs: 500, maxInFlight: 20 }).pipe(
          retryToDLQ(async ({ n: name = "" }) => void (await Promise.resolve(), handled.add(name)), { maxDeliveries: 20 }),
          bufferAck(),
          acknowledge(redis),
        ),
      );
    }
    await add(1_000);
    await until(async () => handled.size === 1_000 && (await pending()) === 0, "every entry is handled");
  });
});

describe("a process that stands still for longer than its lease", () => {
  it("loses what it held to another consumer, notices when it goes on, and settles none of it", async () => {
    const { redis, stream, group, add, run, pending, pendingRows } = workbench();
    await add(20);
    const worker = startWorker("hold-all.ts", inject("redisUrl"), stream, group, "500");
    await messageFrom<{ held: number }>(worker, ({ held }) => held === 20);
    worker.kill("SIGSTOP");
    const taken: Delivery<unknown>[] = [];
    const finish = new Subject<void>();
    const handler = (_: unknown, delivery: Delivery<unknown>): Promise<void> => {
      taken.push(delivery);
      return new Promise((resolve) => finish.subscribe(() => resolve()));
    };
    run(
      fromGroup(redis, { stream, group, startId: "0", consumer: "other", leaseMs: 500 }).pipe(
        retryToDLQ(handler, { maxDeliveries: 5, concurrency: 20 }),
        acknowledge(redis),
      ),
    );
    await until(() => taken.length === 20, "another has taken them over");
    const noticed = messageFrom<{ lost: number }>(worker, ({ lost }) => lost === 20);
    worker.kill("SIGCONT");
    await noticed;
    expect(new Set((await pendingRows()).map(([, consumer]) => consumer))).toEqual(new Set(["other"]));
    expect(taken.some(({ signal }) => signal.aborted)).toBe(false);
    finish.next();
    await until(async () => (await pending()) === 0, "the other has settled them");
  });
});

describe("the smallest ACL of docs/operations.md", () => {
  it("is enough to read, retry, move to the dead letters, recover and renew", async () => {
    const server = await ownServer();
    const { redis, stream, group, run, deadLetters, pending, add } = workbench(server.url);
    const page = readFileSync(fileURLToPath(new URL("../../docs/operations.md", import.meta.url)), "utf8");
    const rules = /ACL SETUSER shipping on >password\n([\s\S]*?)```/.exec(page)![1]!.trim().split(/\s+/);
    const ours = rules.map((rule) => rule.replace("~orders", `~${stream}`).replace("~{orders}", `~{${stream}}`));
    await redis.call("acl", "setuser", "shipping", "on", ">password", ...ours);
    await add(30);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "gone", "COUNT", 5, "STREAMS", stream, ">");
    const user = redis.duplicate({ username: "shipping", password: "password", enableReadyCheck: false, disableClientInfo: true });
    user.on("error", () => undefined);
    afterwards(() => user.disconnect());
    const status = new StatusLog();
    const { values } = run(
      fromGroup(user, { stream, group, startId: "0", leaseMs: 300, consumer: "me", status }).pipe(
        retryToDLQ(({ n }) => (n === "7" ? Promise.reject(new Error("no")) : new Promise<void>((resolve) => setTimeout(resolve, 150))), {
          maxDeliveries: 2,
          backoff: fixed(5),
          concurrency: 30,
        }),
        bufferAck(),
        acknowledge(user),
      ),
    );
    await until(async () => total(values, "acked") === 29 && (await pending()) === 0, "all but one are handled");
    expect(await deadLetters()).toHaveLength(1);
    expect(status.of("recovered").map(({ from }) => from)).toEqual(expect.arrayContaining(["stale", "retry"]));
    expect(status.of("renewalFailed")).toEqual([]);
    expect(await redis.exists(helperKeys(stream, group)[1])).toBe(0);
  });

  it("is enough for dedupe with what the table has for that", async () => {
    const server = await ownServer();
    const { redis, stream, group, run, pending, add } = workbench(server.url);
    const page = readFileSync(fileURLToPath(new URL("../../docs/operations.md", import.meta.url)), "utf8");
    const rules = /ACL SETUSER shipping on >password\n([\s\S]*?)```/.exec(page)![1]!.trim().split(/\s+/);
    const more = /\| `([^`]*)` \| `dedupe` \|/.exec(page)![1]!.split(" ");
    const ours = [...rules, ...more].map((rule) => rule.replace("~orders", `~${stream}`).replace("~{orders}", `~{${stream}}`));
    await redis.call("acl", "setuser", "shipping", "on", ">password", ...ours);
    await add(30);
    const user = redis.duplicate({ username: "shipping", password: "password", enableReadyCheck: false, disableClientInfo: true });
    user.on("error", () => undefined);
    afterwards(() => user.disconnect());
    const { values } = run(
      fromGroup(user, { stream, group, startId: "0" }).pipe(
        dedupe(user, { key: ({ n = "" }) => `${Number(n) % 20}`, ttlMs: 60_000, waitMs: 50 }),
        bufferAck(),
        acknowledge(user),
      ),
    );
    await until(async () => total(values, "acked") + total(values, "duplicates") === 30 && (await pending()) === 0, "all are handled");
    expect(total(values, "duplicates")).toBe(10);
  });
});

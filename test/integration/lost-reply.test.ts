import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { until } from "../support/until.js";
import { afterwards, helperKeys, StatusLog, total, workbench, recordCommands } from "../support/workbench.js";

/** A client whose connections all go through a proxy. */
async function throughProxy(): Promise<{ proxy: TcpProxy; client: Redis }> {
  const proxy = await startProxy(inject("redisUrl"));
  const client = new Redis(proxy.url);
  client.on("error", () => undefined);
  afterwards(() => proxy.close());
  afterwards(() => client.disconnect());
  return { proxy, client };
}

const mentions =
  (...words: string[]) =>
  (request: Buffer): boolean =>
    words.every((word) => request.includes(word));

describe("a reply that is lost after the server has executed the command", () => {
  it("of XREADGROUP: its entries are handled within 3 s, at a lease of 60 s", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const { proxy, client } = await throughProxy();
    const status = new StatusLog();
    const options = { stream, group, startId: "0", blockMs: 500, leaseMs: 60_000, status };
    const pipeline = run(fromGroup(client, options).pipe(bufferAck(), acknowledge(redis)));
    const isBlocked = async (): Promise<boolean> => /flags=\S*b.* cmd=xreadgroup/.test(String(await redis.call("client", "list")));
    await until(isBlocked, "a read is blocked: the first one may be a trial of CLAIM, which is refused at once");
    const commands = await recordCommands(redis, stream);
    const cut = proxy.cutReplyWhen(mentions("xreadgroup", stream));
    await until(() => commands.some(([name]) => name === "xreadgroup"), "another one is under way");
    await add(100);
    await cut;
    const lost = Date.now();
    await until(() => total(pipeline.values, "acked") === 100, "all hundred are handled");
    expect(Date.now() - lost).toBeLessThan(3_000);
    expect(await pending()).toBe(0);
    expect(status.of("recovered").some(({ from }) => from === "self")).toBe(true);
  });

  it("of XACK: nothing is handled twice, and the credit is back", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const { proxy, client } = await throughProxy();
    const handled: string[] = [];
    const cut = proxy.cutReplyWhen(mentions("xack", stream));
    const pipeline = run(
      fromGroup(redis, { stream, group, startId: "0", maxInFlight: 50 }).pipe(
        retryToDLQ(({ n }) => void handled.push(String(n)), { maxDeliveries: 5 }),
        bufferAck(),
        acknowledge(client),
      ),
    );
    await add(500);
    await cut;
    await until(() => total(pipeline.values, "acked") + total(pipeline.values, "notPending") === 500, "all are settled");
    expect(await pending()).toBe(0);
    expect(handled).toHaveLength(500);
    expect(total(pipeline.values, "notPending")).toBeGreaterThan(0);
  });

  it("of the settle script: no dead letter twice, no retry lost", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    const { proxy, client } = await throughProxy();
    await add(40);
    const cut = proxy.cutReplyWhen(mentions("evalsha", "dead", stream));
    const handler = ({ n }: Record<string, string>, { deliveryCount }: { deliveryCount: number }): void => {
      if (Number(n) % 2 === 0 || deliveryCount === 1) throw new Error("fails");
    };
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(handler, { maxDeliveries: 2, backoff: fixed(10) }),
        bufferAck(),
        acknowledge(client),
      ),
    );
    await cut;
    await until(async () => (await pending()) === 0, "nothing is pending");
    expect(await deadLetters()).toHaveLength(20);
    expect(await redis.zcard(helperKeys(stream, group)[1])).toBe(0);
  });

  it("of a claim: the entries it took are handled within 3 s, at a lease of 60 s", async () => {
    const { redis, stream, group, add, pending, run } = workbench();
    const { proxy, client } = await throughProxy();
    const ids = await add(20);
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.xreadgroup("GROUP", group, "gone", "COUNT", 20, "STREAMS", stream, ">");
    const status = new StatusLog();
    const pipeline = run(fromGroup(client, { stream, group, startId: "0", leaseMs: 60_000, status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    const cut = proxy.cutReplyWhen(mentions("evalsha", "due", stream));
    await redis.zadd(helperKeys(stream, group)[1], ...ids.flatMap((id) => [Date.now() + 20, id]));
    await cut;
    const lost = Date.now();
    await until(() => total(pipeline.values, "acked") === 20, "all are handled");
    expect(Date.now() - lost).toBeLessThan(3_000);
    expect(await pending()).toBe(0);
  });

  it("half-open links: a read that is never answered is given up, and what came meanwhile is handled", { timeout: 40_000 }, async () => {
    const { redis, stream, group, add, run } = workbench();
    const { proxy, client } = await throughProxy();
    const status = new StatusLog();
    const pipeline = run(fromGroup(client, { stream, group, startId: "0", blockMs: 500, status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    proxy.hold();
    await add(20);
    await until(() => status.tags().includes("reconnecting"), "the read is given up");
    proxy.reset();
    proxy.release();
    await until(() => total(pipeline.values, "acked") === 20, "all are handled");
  });
});

import { inspect } from "node:util";
import { lastValueFrom, toArray } from "rxjs";
import { acknowledge, bufferAck, dedupe, fixed, fromDeadLetters, fromGroup, retryToDLQ, type DeadLetter } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { Redis } from "../support/ioredis.js";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { afterwards, StatusLog, workbench, type Workbench } from "../support/workbench.js";

const secret = "hunter2";

const letters = ({ redis, stream, group }: Workbench): Promise<DeadLetter[]> =>
  lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));

/** Everything that can be read of a value, hidden properties included. */
const allOf = (value: unknown): string => inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null });

describe("a dead letter of a handler that a command failed in", () => {
  it("has nothing of what the client and the server repeat of its arguments", async () => {
    const bench = workbench();
    const { redis, stream, group, add, run } = bench;
    await add(3);
    const user = `${stream}:user`;
    await redis.set(user, "text");
    const failing = [
      () => redis.hset(user, "password", secret), // WRONGTYPE: ioredis' error has the command with its arguments
      () => redis.call("NO.SUCH", user, secret), // the server quotes them in its message
      () => redis.multi().set(user, secret).call("NO.SUCH", secret).exec(),
    ];
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(({ n }) => failing[Number(n)]!(), { maxDeliveries: 2, backoff: fixed(1) }),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await bench.deadLetters()).length === 3, "all are dead letters");
    expect(JSON.stringify(await bench.deadLetters())).not.toContain(secret);
    const causes = (await letters(bench)).map(({ cause }) => cause.message);
    expect(causes.sort().map((message) => message.split(" ").slice(0, 3).join(" "))).toEqual([
      "ERR unknown command",
      "EXECABORT Transaction discarded",
      "WRONGTYPE Operation against",
    ]);
    await redis.del(user);
  });
});

describe("what a source reports", () => {
  it("has no arguments of a command that Redis refuses for the moment", async () => {
    const server = await ownServer();
    const { redis, stream, group, add, run } = workbench(server.url);
    const status = new StatusLog();
    await add(1, () => ({ secret }));
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.config("SET", "maxmemory", "1");
    run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(
        dedupe(redis, { key: (fields) => fields["secret"] ?? "", ttlMs: 1_000 }),
        acknowledge(redis),
      ),
    );
    await until(() => status.of("stalled").some(({ cause }) => String(cause).includes("OOM")), "it says so");
    expect(allOf(status.seen)).not.toContain(secret);
    expect(allOf(status.progress)).not.toContain(secret);
  });

  it("has no password that Redis refuses, and neither has the error that ends it", async () => {
    const server = await ownServer();
    const { redis, stream, group, run } = workbench(server.url);
    await redis.config("SET", "requirepass", "right");
    const client = new Redis(server.url, { password: secret, lazyConnect: true });
    client.on("error", () => undefined);
    afterwards(() => client.disconnect());
    const status = new StatusLog();
    const source = run(fromGroup(client, { stream, group, startId: "0", status }));
    await until(() => source.isDone, "it has ended");
    expect(source.error).toMatchObject({ _tag: "AccessError" });
    expect(allOf(source.error)).not.toContain(secret);
    expect(allOf(status.seen)).not.toContain(secret);
  });
});

describe("a dead letter", () => {
  it("has the payload's fields as they are, whatever they are called, and its own data beside them", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    const names = ["dead-letter", "origin", "cause", "id", "hops", "firstFailedAt", "pairs", "packed", "stack", "__proto__", "dead-letter"];
    const pairs = names.flatMap((name, place) => [name, place === 0 ? '{"origin":{"stream":"forged"},"hops":7}' : `forged ${place}`]);
    const id = await redis.xadd(stream, "*", ...pairs);
    run(
      fromGroup(redis, { stream, group, consumer: "me", startId: "0" }).pipe(
        retryToDLQ(() => Promise.reject(new Error("no")), { maxDeliveries: 3, backoff: fixed(20) }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await bench.deadLetters()).length === 1, "it is a dead letter");
    const [letter] = await letters(bench);
    expect(letter).toMatchObject({
      origin: { stream, id, group, consumer: "me" },
      cause: { name: "Error", message: "no" },
      deliveryCount: 3,
      hops: 0,
    });
    expect(letter!.pairs).toEqual(pairs);
    expect(letter!.failedAt - letter!.firstFailedAt).toBeGreaterThanOrEqual(40);
    expect((await bench.deadLetters())[0]![1].slice(2)).toEqual(pairs);
  });

  it("keeps a bounded stack and message of an error that is endless", async () => {
    const bench = workbench();
    const { redis, stream, group, add, run } = bench;
    await add(1);
    const endless = Object.assign(new Error("m".repeat(1_000_000)), { stack: "s".repeat(1_000_000) });
    endless.name = "n".repeat(1_000_000);
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(() => Promise.reject(endless), { maxDeliveries: 1 }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await bench.deadLetters()).length === 1, "it is a dead letter");
    expect((await bench.deadLetters())[0]![1][1]!.length).toBeLessThan(7_000);
    const [{ cause } = { cause: undefined }] = await letters(bench);
    expect(cause?.stack).toMatch(/^s{4000}… \(1000000 characters\)$/);
  });
});

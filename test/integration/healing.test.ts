import { acknowledge, bufferAck, fixed, fromGroup, GroupMissingError, retryToDLQ, settle } from "rxjs-redis-streams";
import { map } from "rxjs";
import { describe, expect, it } from "vitest";
import { ownServer } from "../support/own-server.js";
import { until } from "../support/until.js";
import { recordCommands, StatusLog, total, workbench, type Running, type Workbench } from "../support/workbench.js";
import type { Receipt } from "rxjs-redis-streams";

/** A pipeline whose reader is blocked. */
async function blocked(bench: Workbench): Promise<{ status: StatusLog; pipeline: Running<Receipt> }> {
  const { redis, stream, group, run } = bench;
  const status = new StatusLog();
  const pipeline = run(fromGroup(redis, { stream, group, startId: "0", status }).pipe(bufferAck(), acknowledge(redis)));
  await until(() => status.tags().includes("reading"), "it reads");
  await until(async () => String(await redis.call("client", "list")).includes("cmd=xreadgroup"), "a read is blocked");
  return { status, pipeline };
}

describe("what happens to the group under a blocked reader", () => {
  const harms: Record<string, (bench: Workbench) => Promise<unknown>> = {
    FLUSHALL: ({ redis }) => redis.flushall(),
    DEL: ({ redis, stream }) => redis.del(stream),
    "XGROUP DESTROY": ({ redis, stream, group }) => redis.xgroup("DESTROY", stream, group),
  };

  for (const [name, harm] of Object.entries(harms)) {
    it(`${name}: the group is made again, with a status, and what comes then is handled`, async () => {
      const server = await ownServer();
      const bench = workbench(server.url);
      const { status, pipeline } = await blocked(bench);
      await bench.add(10);
      await until(() => total(pipeline.values, "acked") === 10, "the first ten are handled");
      await harm(bench);
      await bench.add(5);
      await until(() => total(pipeline.values, "acked") === 15, "the next five are handled");
      expect(status.of("groupRecreated")).toHaveLength(1);
      expect(await bench.pending()).toBe(0);
      expect(pipeline.isDone).toBe(false);
    });
  }

  it("an entry that failed is not forgotten with the group", async () => {
    const { redis, stream, group, add, run, pending } = workbench();
    await add(1);
    const counts: number[] = [];
    let destroyed = false;
    run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        retryToDLQ(
          async (_, { deliveryCount }) => {
            counts.push(deliveryCount);
            if (destroyed) return;
            await redis.xgroup("DESTROY", stream, group);
            destroyed = true;
            throw new Error("after the group is gone");
          },
          { maxDeliveries: 5, backoff: fixed(10) },
        ),
        acknowledge(redis),
      ),
    );
    await until(async () => counts.length >= 2 && (await pending()) === 0, "it is handled again");
  });

  it('ends with GroupMissingError when onMissingGroup is "fail"', async () => {
    const { redis, stream, group, run } = workbench();
    const status = new StatusLog();
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", onMissingGroup: "fail", status }).pipe(acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    await redis.xgroup("DESTROY", stream, group);
    await until(() => pipeline.isDone, "the pipeline has ended");
    expect(pipeline.error).toBeInstanceOf(GroupMissingError);
    await until(() => status.of("stopped").length > 0, "it has left the group");
    expect(status.seen.at(-1)).toMatchObject({ _tag: "stopped", reason: "error" });
  });

  it("ends with WrongTypeError when the key is no stream", async () => {
    const { redis, stream, group, run } = workbench();
    await redis.set(stream, "text");
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0" }).pipe(acknowledge(redis)));
    await until(() => pipeline.isDone, "the pipeline has ended");
    expect(pipeline.error).toMatchObject({ _tag: "WrongTypeError" });
  });
});

describe("a server that restarts", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`by ${signal}, under a blocked reader and with work in flight: every entry is handled`, async () => {
      const server = await ownServer({ durable: true });
      const bench = workbench(server.url);
      const { redis, stream, group, add, pending, run } = bench;
      const handled = new Set<string>();
      const status = new StatusLog();
      run(
        fromGroup(redis, { stream, group, startId: "0", maxInFlight: 100, status }).pipe(
          retryToDLQ(async ({ n }) => void (await Promise.resolve(), handled.add(String(n))), { maxDeliveries: 5 }),
          bufferAck(),
          acknowledge(redis),
        ),
      );
      await add(3_000);
      await until(() => handled.size > 300, "it is in the middle");
      await server.restart({ signal });
      await until(() => handled.size === 3_000, "every entry is handled");
      await until(async () => (await pending()) === 0, "nothing is pending");
      await add(10, (n) => ({ n: String(n + 3_000) }));
      await until(() => handled.size === 3_010, "reading goes on");
      expect(status.tags()).toContain("reconnecting");
    });
  }

  it("goes on when the server hangs for longer than a read may take", { timeout: 60_000 }, async () => {
    const server = await ownServer();
    const { redis, stream, group, add, run } = workbench(server.url);
    const status = new StatusLog();
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", blockMs: 200, status }).pipe(bufferAck(), acknowledge(redis)));
    await until(() => status.tags().includes("reading"), "it reads");
    server.pause();
    await until(() => status.tags().includes("reconnecting"), "the read is given up");
    server.resume();
    await add(10);
    await until(() => total(pipeline.values, "acked") === 10, "all are handled");
  });
});

describe("an idle pipeline", () => {
  it("reads under 10 times and sends under 30 commands in 10 s, also after FLUSHALL and XADD with XDEL", { timeout: 30_000 }, async () => {
    const server = await ownServer();
    const bench = workbench(server.url);
    const { redis, stream } = bench;
    await blocked(bench);
    const commands = await recordCommands(redis, stream);
    const begun = Date.now();
    await until(() => Date.now() - begun > 10_000, "ten seconds have passed");
    expect(commands.length).toBeLessThan(30);
    expect(commands.filter(([name]) => name === "xreadgroup").length).toBeLessThan(20);

    commands.length = 0;
    await redis.flushall();
    for (let wave = 0; wave < 50; wave += 1) {
      await redis.multi().xadd(stream, "1-*", "n", "1").xtrim(stream, "MAXLEN", 0).exec();
    }
    const after = Date.now();
    await until(() => Date.now() - after > 3_000, "three more seconds have passed");
    expect(commands.filter(([name]) => name === "xreadgroup").length).toBeLessThan(30 + 10);
  });
});

describe("a sink that can't write dead letters", () => {
  it("leaves the entry pending while Redis is out of memory, says so, and moves it when there is room", async () => {
    const server = await ownServer();
    const { redis, stream, group, add, pending, deadLetters, run } = workbench(server.url);
    const status = new StatusLog();
    await add(1); // alone: a script that has written before may go on, and would add it
    await redis.xgroup("CREATE", stream, group, "0");
    await redis.config("SET", "maxmemory", "1"); // every command that needs memory is refused
    run(
      fromGroup(redis, { stream, group, startId: "0", status }).pipe(
        map((delivery) => (delivery.value["n"] === "0" ? settle.deadLetter(delivery, "bad") : delivery)),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => status.of("stalled").some(({ cause }) => String(cause).includes("OOM")), "the status says so");
    expect(await pending()).toBe(1);
    expect(await deadLetters()).toEqual([]);
    await redis.config("SET", "maxmemory", "0");
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "it is moved");
  });
});

import { once } from "node:events";
import { from, lastValueFrom, toArray } from "rxjs";
import {
  acknowledge,
  failuresKey,
  fixed,
  fromDeadLetters,
  fromGroup,
  redrive,
  retryToDLQ,
  type DeadLetter,
  type Delivery,
  type Fields,
  type RedriveOptions,
  type Redriven,
} from "rxjs-redis-streams";
import { describe, expect, inject, it } from "vitest";
import { until } from "../support/until.js";
import { expectNoConnections, helperKeys, run, workbench, type Running, type Workbench } from "../support/workbench.js";
import { messageFrom, startWorker } from "../support/worker.js";

type Handler = (value: Fields, delivery: Delivery<Fields>) => unknown;

/** A group that handles, retries after 10 ms, and gives up after two deliveries. */
function handling({ redis, stream }: Workbench, group: string, handler: Handler): Running<unknown> {
  return run(
    fromGroup(redis, { stream, group, startId: "0" }).pipe(
      retryToDLQ(handler, { maxDeliveries: 2, backoff: fixed(10) }),
      acknowledge(redis),
    ),
  );
}

const letters = ({ redis, stream, group }: Workbench): Promise<DeadLetter[]> =>
  lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(toArray()));

const takeBack = ({ redis, stream, group }: Workbench, options?: RedriveOptions): Promise<Redriven<DeadLetter>[]> =>
  lastValueFrom(fromDeadLetters(redis, { stream, group }).pipe(redrive(redis, options), toArray()));

const pendingOf = async ({ redis, stream }: Workbench, group: string): Promise<number> => Number((await redis.xpending(stream, group))[0]);

const failuresOf = ({ redis, stream, group }: Workbench): Promise<Record<string, string>> => redis.hgetall(failuresKey(stream, group));

interface Failed {
  readonly bench: Workbench;
  /** From now on the handler succeeds. */
  readonly mend: () => void;
  readonly stop: () => void;
  readonly handled: Delivery<Fields>[];
  readonly others: string[];
}

/** A group whose handler fails for all entries until it is mended, and another one that takes them as they are. */
async function failed(count: number): Promise<Failed> {
  const bench = workbench();
  const handled: Delivery<Fields>[] = [];
  const others: string[] = [];
  let isMended = false;
  await bench.add(count, (n) => ({ n: String(n), "dead-letter": "a name of the payload's" }));
  const sources = [
    handling(bench, bench.group, (_, delivery) => (isMended ? void handled.push(delivery) : Promise.reject(new Error("not yet")))),
    handling(bench, "others", ({ n = "" }) => void others.push(n)),
  ];
  await until(async () => (await bench.deadLetters()).length === count && others.length === count, "all are dead letters");
  const stop = (): void => sources.forEach(({ subscription }) => subscription.unsubscribe());
  return { bench, mend: () => (isMended = true), stop, handled, others };
}

describe("a dead letter", () => {
  it("knows when its entry failed first and last, and has its pairs byte for byte", async () => {
    const { bench } = await failed(3);
    const [letter] = await letters(bench);
    expect(letter?.pairs).toEqual(["n", "0", "dead-letter", "a name of the payload's"]);
    expect(letter).toMatchObject({ deliveryCount: 2, hops: 0, cause: { name: "Error", message: "not yet" } });
    expect(letter!.failedAt - letter!.firstFailedAt).toBeGreaterThanOrEqual(10);
    expect(letter!.failedAt - letter!.firstFailedAt).toBeLessThan(10_000);
    expect(await failuresOf(bench)).toEqual({});
  });

  it("leaves nothing behind of entries that failed and were handled then", async () => {
    const bench = workbench();
    const { group, add } = bench;
    const done = new Set<string>();
    handling(bench, group, ({ n = "" }, { deliveryCount }) => (deliveryCount === 2 ? void done.add(n) : Promise.reject(new Error("once"))));
    for (let wave = 0; wave < 10; wave += 1) {
      await add(50, (n) => ({ n: `${wave}.${n}` }));
      await until(() => done.size === 50 * (wave + 1), "all are done");
    }
    await until(async () => (await pendingOf(bench, group)) === 0, "nothing is pending");
    expect(await failuresOf(bench)).toEqual({});
  });
});

describe("redrive", () => {
  it("takes letters back to the group that failed and to no other, under their ids, as if never delivered", async () => {
    const { bench, mend, handled, others } = await failed(20);
    const before = await letters(bench);
    mend();
    const became = await takeBack(bench);
    expect(became.map(({ _tag }) => _tag)).toEqual(new Array(20).fill("again"));
    await until(() => handled.length === 20, "all are handled");
    expect(handled.map(({ id }) => id).sort()).toEqual(before.map(({ origin }) => origin.id).sort());
    expect(new Set(handled.map(({ deliveryCount }) => deliveryCount))).toEqual(new Set([1]));
    await until(async () => (await pendingOf(bench, bench.group)) === 0, "nothing is pending");
    expect(await failuresOf(bench)).toEqual({});
    expect(others).toHaveLength(20);
    expect(await bench.deadLetters()).toEqual([]);
    expect(await bench.redis.xlen(bench.stream)).toBe(20);
  });

  it("a second time finds no letter", async () => {
    const { bench, mend, handled } = await failed(5);
    const all = await letters(bench);
    mend();
    await takeBack(bench);
    const became = await lastValueFrom(from(all).pipe(redrive(bench.redis), toArray()));
    expect(became.map(({ _tag }) => _tag)).toEqual(new Array(5).fill("absent"));
    await until(() => handled.length >= 5, "all are handled");
    await until(async () => (await pendingOf(bench, bench.group)) === 0, "nothing is pending");
    expect(handled).toHaveLength(5);
    await until(async () => (await bench.redis.zcard(helperKeys(bench.stream, bench.group)[1])) === 0, "nothing waits");
  });

  it("dryRun changes nothing and says what would become of each", async () => {
    const { bench } = await failed(4);
    const { redis, stream, group } = bench;
    const all = await letters(bench);
    await redis.xdel(stream, all[1]!.origin.id);
    const became = await takeBack(bench, { dryRun: true });
    expect(became.map(({ _tag, isDryRun }) => [_tag, isDryRun])).toEqual(["again", "added", "again", "again"].map((tag) => [tag, true]));
    expect(await letters(bench)).toEqual(all);
    expect(await pendingOf(bench, group)).toBe(0);
    expect(await redis.xlen(stream)).toBe(3);
  });

  it("adds an entry that is gone anew, and only the group that failed sees it, unmarked", async () => {
    const { bench, mend, handled, others } = await failed(6);
    const { redis, stream, group } = bench;
    const all = await letters(bench);
    await redis.xgroup("CREATE", stream, "behind", all[3]!.origin.id);
    await redis.xgroup("CREATE", stream, "foreign", "$");
    const foreign = redis.duplicate();
    const foreignRead = foreign.xreadgroup("GROUP", "foreign", "me", "COUNT", 10, "BLOCK", 3_000, "STREAMS", stream, ">");
    await redis.xtrim(stream, "MAXLEN", 2);
    mend();
    const became = await takeBack(bench);
    expect(became.map(({ _tag }) => _tag)).toEqual(["added", "added", "added", "added", "again", "again"]);
    await until(() => handled.length === 6, "all are handled");
    expect(handled.map(({ value }) => value["n"]).sort()).toEqual(["0", "1", "2", "3", "4", "5"]);
    for (const { pairs } of handled) expect(pairs.slice(2)).toEqual(["dead-letter", "a name of the payload's"]);
    const behind: string[] = [];
    handling(bench, "behind", ({ n = "" }) => void behind.push(n));
    handling(bench, "late", ({ n = "" }) => void behind.push(`late ${n}`));
    await until(() => behind.length === 4, "groups that were behind have caught up");
    expect(behind.sort()).toEqual(["4", "5", "late 4", "late 5"]);
    for (const name of [group, "others", "behind", "late"]) {
      await until(async () => (await pendingOf(bench, name)) === 0, `nothing is pending in ${name}`);
    }
    expect(await failuresOf(bench)).toEqual({});
    const infos = (await redis.xinfo("GROUPS", stream)) as unknown[][];
    expect(infos.map((info) => info[info.indexOf("lag") + 1])).toEqual(infos.map(() => 0));
    expect(await foreignRead).toBeNull();
    expect(others).toHaveLength(6);
    foreign.disconnect();
  });

  it("counts hops, keeps the first failure, and refuses on request what goes in circles", async () => {
    const { bench } = await failed(2);
    const first = await letters(bench);
    await bench.redis.xdel(bench.stream, first[1]!.origin.id);
    for (let hops = 1; hops <= 2; hops += 1) {
      await takeBack(bench);
      await until(async () => (await letters(bench)).filter((letter) => letter.hops === hops).length === 2, "they have failed again");
    }
    const last = await letters(bench);
    expect(last.map(({ firstFailedAt }) => firstFailedAt).sort()).toEqual(first.map(({ firstFailedAt }) => firstFailedAt).sort());
    expect(last.map(({ pairs }) => pairs).sort()).toEqual(first.map(({ pairs }) => pairs).sort());
    const became = await takeBack(bench, { maxHops: 2 });
    expect(became.map((each) => each._tag === "refused" && each.reason)).toEqual(["tooManyHops", "tooManyHops"]);
  });

  it("refuses what has no group, is another group's, or is no letter, and leaves it there", async () => {
    const { bench, stop } = await failed(1);
    const { redis, stream, group } = bench;
    expect(await takeBack(bench, { stream, group: "others" })).toMatchObject([{ _tag: "refused", reason: "otherGroup" }]);
    await redis.xadd(helperKeys(stream, group)[0], "*", "what", "is this");
    expect((await takeBack(bench, { dryRun: true })).at(-1)).toMatchObject({ _tag: "refused", reason: "unreadable" });
    stop();
    await expectNoConnections(redis);
    await redis.del(stream);
    expect(await takeBack(bench)).toMatchObject([{ reason: "noGroup" }, { reason: "unreadable" }]);
    expect(await redis.xlen(helperKeys(stream, group)[0])).toBe(2);
  });

  it("loses and doubles nothing when it is killed at any time", { timeout: 60_000 }, async () => {
    const { bench, mend, handled, others } = await failed(400);
    const { redis, stream, group } = bench;
    mend();
    for (let kills = 0; kills < 2; kills += 1) {
      const worker = startWorker("redrive-letters.ts", inject("redisUrl"), stream, group);
      await messageFrom(worker, () => true);
      worker.kill("SIGKILL");
      await once(worker, "exit");
    }
    expect(await redis.xlen(helperKeys(stream, group)[0])).toBeGreaterThan(0);
    await takeBack(bench);
    await until(() => handled.length >= 400, "all are handled");
    await until(async () => (await pendingOf(bench, group)) === 0, "nothing is pending");
    expect(new Set(handled.map(({ id }) => id)).size).toBe(400);
    expect(handled).toHaveLength(400);
    expect(others).toHaveLength(400);
    expect(await bench.deadLetters()).toEqual([]);
  });

  it("leaves no connection", async () => {
    await expectNoConnections(workbench().redis);
  });
});

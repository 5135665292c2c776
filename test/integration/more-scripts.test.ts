import { describe, expect, it } from "vitest";
import { appendSource, countBeforeSource, prepareIdmpSource, redriveSource, trimAckedSource } from "../../src/redis/scripts/sources.js";
import { afterwards, helperKeys, workbench, type Workbench } from "../support/workbench.js";

type Word = string | number;

const run = ({ redis }: Workbench, source: string, keys: readonly string[], ...args: readonly Word[]): Promise<unknown> =>
  redis.eval(source, keys.length, ...keys, ...args);

/** An entry in the words of append.lua. */
const entry = (...words: readonly Word[]): readonly Word[] => [words.length, ...words];

describe("append.lua", () => {
  it("adds in order, answers the first id for a marker that is there, and gives markers their time", async () => {
    const bench = workbench();
    const { redis, stream } = bench;
    const markers = ["a", "b", "a"].map((name) => `{${stream}}:added:${name}`);
    afterwards(() => redis.del(...markers));
    const words = ["one", "two", "three"].flatMap((text) => entry("*", "text", text));
    const ids = (await run(bench, appendSource, [stream, ...markers], 60_000, ...words)) as string[];
    expect(ids[2]).toBe(ids[0]);
    expect((await redis.xrange(stream, "-", "+")).map(([id, pairs]) => [id, pairs[1]])).toEqual([
      [ids[0], "one"],
      [ids[1], "two"],
    ]);
    expect(await redis.get(markers[0]!)).toBe(ids[0]);
    expect(await redis.pttl(markers[1]!)).toBeGreaterThan(50_000);
  });

  it("stops at the first that can't be added, and says so when that is the first of all", async () => {
    const bench = workbench();
    const { redis, stream } = bench;
    const words = [entry("*", "n", 1), entry("1-1", "n", 2), entry("*", "n", 3)].flat();
    expect(await run(bench, appendSource, [stream], 0, ...words)).toHaveLength(1);
    expect(await redis.xlen(stream)).toBe(1);
    await expect(run(bench, appendSource, [stream], 0, ...entry("1-1", "n", 2))).rejects.toThrow(/equal or smaller/);
    expect(await run(bench, appendSource, [`${stream}:none`], 0, ...entry("NOMKSTREAM", "*", "n", 1))).toEqual([]);
  });
});

describe("prepare-idmp.lua", () => {
  it("raises the stream's limits where it can remember, makes it only when told, and lowers nothing", async () => {
    const bench = workbench();
    const { redis, stream } = bench;
    const prepare = (seconds: number, count: number, missing: string): Promise<unknown> =>
      run(bench, prepareIdmpSource, [stream], seconds, count, missing);
    expect(await prepare(600, 5_000, "leave")).toBe(0);
    expect(await redis.exists(stream)).toBe(0);
    const can = await prepare(600, 5_000, "create");
    expect(await redis.xinfo("GROUPS", stream)).toEqual([]);
    const limits = async (): Promise<unknown[]> => {
      const info = (await redis.xinfo("STREAM", stream)) as unknown[];
      return ["idmp-duration", "idmp-maxsize"].map((name) => (info.includes(name) ? info[info.indexOf(name) + 1] : 0));
    };
    expect(await limits()).toEqual(can === 1 ? [600, 5_000] : [0, 0]);
    expect(await prepare(300, 6_000, "leave")).toBe(can);
    expect(await limits()).toEqual(can === 1 ? [600, 6_000] : [0, 0]);
  });
});

describe("count-before.lua", () => {
  it("counts below an id, a page a call, and says where to go on", async () => {
    const bench = workbench();
    const ids = await bench.add(25);
    const count = (from: string): Promise<unknown> => run(bench, countBeforeSource, [bench.stream], from, ids[22]!, 20);
    expect(await count("-")).toEqual([20, `(${ids[19]}`]);
    expect(await count(`(${ids[19]}`)).toEqual([2, ""]);
    expect(await run(bench, countBeforeSource, [`${bench.stream}:none`], "-", "5-0", 20)).toEqual([0, ""]);
  });
});

describe("trim-acked.lua", () => {
  it("removes what all groups have acknowledged, names who holds the rest, and takes unknown groups for living ones", async () => {
    const bench = workbench();
    const { redis, stream, group, add } = bench;
    const ids = await add(10);
    const retries = helperKeys(stream, group)[1];
    for (const name of [group, "unknown"]) await redis.xgroup("CREATE", stream, name, "0");
    const trim = (dead: number, how: string): Promise<unknown> => run(bench, trimAckedSource, [stream, retries], dead, 1_000, how, group);
    expect(await trim(0, "trim")).toMatchObject([0, "0-1", expect.stringMatching(/group|unknown/) as string, []]);
    for (const name of [group, "unknown"]) await redis.xreadgroup("GROUP", name, "me", "STREAMS", stream, ">");
    await redis.xack(stream, group, ...ids);
    await redis.xack(stream, "unknown", ...ids.slice(0, 4));
    expect(await trim(0, "look")).toEqual([0, ids[4], "unknown", []]);
    expect(await redis.xlen(stream)).toBe(10);
    expect(await trim(0, "trim")).toEqual([4, ids[4], "unknown", []]);
    expect((await redis.xrange(stream, "-", "+", "COUNT", 1))[0]?.[0]).toBe(ids[4]);
  });
});

describe("redrive.lua", () => {
  it("takes back what is there, adds what is gone, and does nothing for what it does not find", async () => {
    const bench = workbench();
    const { redis, stream, group, add } = bench;
    const [dead, retries] = helperKeys(stream, group);
    const failures = `{${stream}}:failures:${group}`;
    afterwards(() => redis.del(failures));
    const ids = await add(2);
    await redis.xgroup("CREATE", stream, group, "$");
    const letters = [
      await redis.xadd(dead, "*", "dead-letter", "{}", "n", "0"),
      await redis.xadd(dead, "*", "dead-letter", "{}", "n", "1"),
    ];
    await redis.xdel(stream, ids[1]!);
    const redrive = (how: string): Promise<unknown> =>
      run(bench, redriveSource, [stream, retries, failures, dead], group, how, ...letters.flatMap((id, n) => [id!, ids[n]!, 7, 2]), "1-1", ids[0]!, 7, 2); // prettier-ignore
    expect(await redrive("look")).toEqual([["again", ids[0]], ["added", ""], ["absent", ""]]); // prettier-ignore
    expect(await redis.xlen(dead)).toBe(2);
    const [again, added, absent] = (await redrive("do")) as [string, string][];
    expect([again, added?.[0], absent]).toEqual([["again", ids[0]], "added", ["absent", ""]]);
    expect(await redis.xlen(dead)).toBe(0);
    expect((await bench.pendingRows()).map(([id, consumer, , count]) => [id, consumer, count])).toEqual([[ids[0], "released", 0]]);
    expect(await redis.zrange(retries, "0", "-1")).toEqual([ids[0]]);
    expect(await redis.xrange(stream, added![1], added![1])).toEqual([[added![1], ["rxjs-redis-streams:redriven-for", group, "n", "1"]]]);
    expect(await redis.hgetall(failures)).toEqual({ [ids[0]!]: "7 3", [added![1]]: "7 3" });
    expect(await redrive("do")).toEqual(new Array(3).fill(["absent", ""]));
  });

  it("does nothing without the group", async () => {
    const bench = workbench();
    const { stream, group, redis } = bench;
    const [dead, retries] = helperKeys(stream, group);
    const letter = (await redis.xadd(dead, "*", "dead-letter", "{}", "n", "0"))!;
    const keys = [stream, retries, `{${stream}}:failures:${group}`, dead];
    expect(await run(bench, redriveSource, keys, group, "do", letter, "1-1", 7, 0)).toEqual([["noGroup", ""]]);
    expect(await redis.xlen(dead)).toBe(1);
  });
});

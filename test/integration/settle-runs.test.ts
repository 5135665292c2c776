import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { ClaimedKey } from "../../src/model/claim.js";
import type { EntryId } from "../../src/model/entry-id.js";
import type { Write } from "../../src/model/write.js";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { IoredisCommands } from "../../src/redis/ioredis-commands.js";
import type { Decision, SettleOutcome } from "../../src/redis/port.js";
import { ownServer } from "../support/own-server.js";
import { afterwards, workbench, type Workbench } from "../support/workbench.js";

interface Bench extends Workbench {
  readonly ids: EntryId[];
  readonly key: (name: string) => string;
  readonly settle: (decisions: readonly Decision[], commands?: IoredisCommands) => Promise<readonly string[]>;
}

/** So many entries that are pending for `me`. */
async function pendingEntries(count: number, url?: string): Promise<Bench> {
  const bench = workbench(url);
  const { redis, stream, group, add } = bench;
  const ids = (await add(count)) as EntryId[];
  await redis.xgroup("CREATE", stream, group, "0");
  await redis.xreadgroup("GROUP", group, "me", "COUNT", count, "STREAMS", stream, ">");
  const own = openCommands(redis);
  afterwards(async () => {
    const helpers = await redis.keys(`{${stream}}:*`);
    if (helpers.length > 0) await redis.del(helpers);
  });
  const settle: Bench["settle"] = async (decisions, commands = own) => {
    const request = { mode: "ack", deadLetterStream: undefined, decisions } as const;
    return (await commands.settle({ stream, group, consumer: "me" }, request)).map(textOf);
  };
  return { ...bench, ids, settle, key: (name) => `{${stream}}:${name}` };
}

function openCommands(redis: Redis): IoredisCommands {
  const commands = toPort(redis).openCommands() as IoredisCommands;
  afterwards(() => commands.close());
  return commands;
}

const textOf = (outcome: SettleOutcome): string => (outcome._tag === "failed" ? outcome.error.message : outcome._tag);
const claimOf = (name: string, ttlMs = 60_000): ClaimedKey => ({ scope: { _tag: "stream" }, name, holder: "me", ttlMs });
const pendingIds = async ({ redis, stream, group }: Workbench): Promise<string[]> =>
  ((await redis.xpending(stream, group, "-", "+", 10_000)) as [string][]).map(([id]) => id);

describe("decisions of one call of settle.lua", () => {
  it("settle an entry once, however often it is named", async () => {
    const bench = await pendingEntries(8);
    const [a, b, c, d, e, f] = bench.ids as [EntryId, EntryId, EntryId, EntryId, EntryId, EntryId];
    const outcomes = await bench.settle([
      { verb: "ack", id: a },
      { verb: "ack", id: b, claims: [claimOf("b")] },
      { verb: "ack", id: a },
      { verb: "ack", id: b, claims: [claimOf("again")] },
      { verb: "ack", id: a, claims: [claimOf("a")] },
      { verb: "release", id: a },
      { verb: "dead", id: c, note: "{}", pairs: [] },
      { verb: "ack", id: c },
      { verb: "retry", id: d, delayMs: 60_000 },
      { verb: "release", id: d },
      { verb: "ack", id: e, writes: [add(bench, 1)] },
      { verb: "ack", id: e, writes: [add(bench, 2)] },
      { verb: "retry", id: e, delayMs: 5 },
      { verb: "ack", id: f },
    ]);
    expect(outcomes).toEqual(["done", "done", "notPending", "notPending", "notPending", "notPending", "done", "notPending", "done", "done", "done", "notPending", "notPending", "done"]); // prettier-ignore
    expect(await pendingIds(bench)).toEqual([d, ...bench.ids.slice(6)]);
    expect((await bench.pendingRows())[0]![3]).toBe(0); // released, and once
    expect(await bench.redis.mget(...["a", "b", "again"].map((name) => bench.key(`dedupe:stream:${name}`)))).toEqual([null, "done", null]);
    expect(await numbersOf(bench)).toEqual(["1"]);
  });

  it("leave alone what another consumer has, also in the midst of a run", async () => {
    const bench = await pendingEntries(400);
    const { redis, stream, group, ids } = bench;
    const stolen = ids.filter((_, index) => index % 3 === 0);
    await redis.xclaim(stream, group, "thief", 0, ...stolen);
    const decide = (id: EntryId, index: number): Decision => ({ verb: "ack", id, claims: [claimOf(id)], writes: [add(bench, index)] });
    const outcomes = await bench.settle(ids.map(decide));
    expect(outcomes).toEqual(ids.map((_, index) => (index % 3 === 0 ? "notPending" : "done")));
    expect(await pendingIds(bench)).toEqual(stolen);
    const ours = ids.flatMap((_, index) => (index % 3 === 0 ? [] : [String(index)]));
    expect(await numbersOf(bench)).toEqual(ours);
    expect(await redis.exists(...ids.map((id) => bench.key(`dedupe:stream:${id}`)))).toBe(ours.length);
    expect(await redis.exists(...stolen.map((id) => bench.key(`dedupe:stream:${id}`)))).toBe(0);
  });

  it.each([
    ["of this consumer", "me"],
    ["of others", "another"],
  ])("look at few of the thousands of entries %s that lie between theirs", async (_, owner) => {
    const bench = await pendingEntries(5_000);
    const { redis, stream, group, ids } = bench;
    const ours = ids.filter((_id, index) => index % 100 === 0).reverse();
    const rest = ids.filter((_id, index) => index % 100 !== 0);
    if (owner !== "me") await redis.xclaim(stream, group, owner, 0, ...rest, "JUSTID");
    await redis.config("RESETSTAT");
    expect(new Set(await bench.settle(ours.map((id) => ({ verb: "ack", id, claims: [claimOf(id)] }))))).toEqual(new Set(["done"]));
    const [, calls] = /cmdstat_xpending:calls=(\d+)/.exec(await redis.info("commandstats"))!;
    expect(Number(calls)).toBeLessThanOrEqual(ours.length + 2);
    expect(await pendingIds(bench)).toEqual(rest);
  });

  it("say what became of each in the order they came in, whatever goes together", async () => {
    const bench = await pendingEntries(600);
    const { redis, stream, group, ids } = bench;
    await redis.xack(stream, group, ...ids.filter((_, index) => index % 7 === 0));
    const kinds: ((id: EntryId, index: number) => Decision)[] = [
      (id) => ({ verb: "ack", id }),
      (id) => ({ verb: "ack", id, claims: [claimOf(id)] }),
      (id) => ({ verb: "ack", id, claims: [claimOf(id, 5_000)] }),
      (id) => ({ verb: "ack", id, claims: [claimOf(`1-${id}`), claimOf(`2-${id}`, 5_000)] }),
      (id) => ({ verb: "retry", id, delayMs: 60_000, claims: [claimOf(id)] }),
      (id, index) => ({ verb: "ack", id, writes: [add(bench, index)] }),
      (id, index) => ({ verb: "ack", id, claims: [claimOf(id)], writes: [{ command: "INCRBY", key: bench.key("count"), args: ["1"] }, add(bench, index)] }), // prettier-ignore
      (id) => ({ verb: "release", id }),
    ];
    const outcomes = await bench.settle(ids.map((id, index) => kinds[index % kinds.length]!(id, index)));
    expect(outcomes).toEqual(ids.map((_, index) => (index % 7 === 0 ? "notPending" : "done")));
    const done = (kind: number): EntryId[] => ids.filter((_, index) => index % 7 !== 0 && index % kinds.length === kind);
    expect(await pendingIds(bench)).toEqual(ids.filter((_, index) => index % 7 !== 0 && [4, 7].includes(index % kinds.length)));
    const written = ids.flatMap((_, index) => (index % 7 !== 0 && [5, 6].includes(index % kinds.length) ? [String(index)] : []));
    expect(await numbersOf(bench)).toEqual(written);
    expect(await redis.get(bench.key("count"))).toBe(String(done(6).length));
    const marked = [...done(1), ...done(2), ...done(3).flatMap((id) => [`1-${id}`, `2-${id}`]), ...done(6)];
    const marks = await redis.keys(bench.key("dedupe:stream:*"));
    expect(marks.sort()).toEqual(marked.map((name) => bench.key(`dedupe:stream:${name}`)).sort());
    const ttlOf = (name: string): Promise<number> => redis.pttl(bench.key(`dedupe:stream:${name}`));
    const [[one], [short], [two]] = [done(1), done(2), done(3)] as [EntryId[], EntryId[], EntryId[]];
    for (const long of [one!, `1-${two}`]) expect(await ttlOf(long)).toBeGreaterThan(50_000);
    for (const brief of [short!, `2-${two}`]) expect(await ttlOf(brief)).toBeLessThanOrEqual(5_000);
  });

  it("take back all that a run has written when its acknowledgement is refused, and mark nothing", async () => {
    const { url } = await ownServer();
    const bench = await pendingEntries(50, url);
    const { redis, ids } = bench;
    await redis.set(bench.key("count"), "7");
    await redis.call("ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-xack");
    const clerk = new Redis(url, { username: "clerk", password: "secret" });
    afterwards(() => clerk.disconnect());
    const writes = (index: number): Write[] => [{ command: "INCRBY", key: bench.key("count"), args: ["1"] }, add(bench, index)];
    const decisions = ids.map((id, index): Decision => ({ verb: "ack", id, claims: [claimOf(id)], writes: writes(index) }));
    const outcomes = await bench.settle(decisions, openCommands(clerk));
    expect(outcomes).toHaveLength(50);
    for (const outcome of outcomes) expect(outcome).toMatch(/permission|can't run this command|ACL failure/i);
    expect(await pendingIds(bench)).toEqual(ids);
    expect(await redis.xlen(bench.key("out"))).toBe(0);
    expect(await redis.get(bench.key("count"))).toBe("7");
    expect(await redis.keys(bench.key("dedupe:*"))).toEqual([]);
    expect(new Set(await bench.settle(decisions))).toEqual(new Set(["done"])); // by whoever may
    expect(await redis.get(bench.key("count"))).toBe("57");
  });

  it("refuse one entry of a run for its own reason, and carry out the others", async () => {
    const bench = await pendingEntries(6);
    const { redis, ids } = bench;
    await redis.hset(bench.key("totals"), "2", "text");
    const outcomes = await bench.settle(
      ids.map((id, index) => ({
        verb: "ack",
        id,
        writes: [add(bench, index), { command: "HINCRBY", key: bench.key("totals"), args: [String(index), "1"] }],
      })),
    );
    expect(outcomes.map((text) => text === "done")).toEqual([true, true, false, true, true, true]);
    expect(outcomes[2]).toMatch(/not an integer/);
    expect(await numbersOf(bench)).toEqual(["0", "1", "3", "4", "5"]);
    expect(await pendingIds(bench)).toEqual([ids[2]]);
  });
});

const add = ({ stream }: Workbench, n: number): Write => ({ command: "XADD", key: `{${stream}}:out`, args: ["*", "n", n] });

async function numbersOf({ redis, key }: Bench): Promise<string[]> {
  return (await redis.xrange(key("out"), "-", "+")).map(([, pairs]) => pairs[1]!);
}

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { commandHead } from "../../../src/redis/fast/encode.js";
import { Transactions, type Step } from "../../../src/redis/fast/transactions.js";
import type { Redis } from "../../support/ioredis.js";
import { cutAt, resp } from "../../support/resp.js";
import { scriptedRedis, type ScriptedRedis } from "../../support/scripted-redis.js";

const steps = (count: number): Step[] =>
  Array.from({ length: count }, (_, n) => ({ head: commandHead("XADD", "s", "*"), words: ["n", String(n)] }));
const queued = (count: number): Buffer => Buffer.concat([resp.simple("OK"), ...new Array<Buffer>(count).fill(resp.simple("QUEUED"))]);
const added = (...ids: (string | Buffer)[]): Buffer => resp.list(ids.map((id) => (typeof id === "string" ? resp.string(id) : id)));
const notAdded = resp.error("WRONGTYPE Operation");
const aborted = resp.error("EXECABORT Transaction discarded because of previous errors.");

/** ioredis 5 does not know RESP3. */
const knowsPushes = process.env["IOREDIS"] !== "5";

const opened: Redis[] = [];
afterEach(() => opened.splice(0).forEach((redis) => redis.disconnect()));

interface Bench extends ScriptedRedis {
  readonly transactions: Transactions;
  /** What was written since this was asked last, but for the lengths of words. */
  readonly news: () => Promise<string>;
}

async function bench(options: object = {}, spoil: (redis: Redis) => void = () => undefined): Promise<Bench> {
  let transactions!: Transactions;
  const scripted = scriptedRedis(options, (redis) => {
    spoil(redis);
    transactions = new Transactions(redis);
  });
  opened.push(scripted.redis);
  await vi.waitFor(() => expect(scripted.redis.status).toBe("ready"), { interval: 1 });
  let seen = 0;
  const news = async (): Promise<string> => {
    await new Promise((resolve) => setImmediate(resolve));
    const all = scripted.sent();
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh.split("\r\n").filter((line) => !/^[*$]\d/.test(line)).join(" ").trim(); // prettier-ignore
  };
  return { ...scripted, transactions, news };
}

/** One that the server has allowed transactions. */
async function allowed(options: object = {}): Promise<Bench> {
  const made = await bench(options);
  expect(await made.transactions.run("s", steps(1))).toBeUndefined();
  expect(await made.transactions.run("s", steps(1))).toBeUndefined();
  expect(await made.news()).toBe("MULTI EXEC");
  made.answer(resp.simple("OK"), resp.list([]));
  await made.news();
  return made;
}

describe("a transaction", () => {
  it("is not sent by a pipeline that writes once", async () => {
    const { transactions, news } = await bench();
    expect(await transactions.run("s", steps(1))).toBeUndefined();
    expect(await news()).toBe("");
  });

  it("is sent once an empty one is answered, in one write", async () => {
    const { transactions, news, answer } = await allowed();
    const ids = transactions.run("s", steps(2));
    expect(await news()).toBe("MULTI XADD s * n 0 XADD s * n 1 EXEC");
    answer(Buffer.concat([queued(2), added("1-0", "1-1")]));
    expect(await ids).toEqual(["1-0", "1-1"]);
  });

  it.each([
    ["an error", resp.error("NOPERM no 'multi'"), resp.error("ERR EXEC without MULTI")],
    ["an error of EXEC", resp.simple("OK"), resp.error("EXECABORT Transaction discarded because of: NOPERM no 'exec'")],
    ["an error of RESP3", resp.blobError("ERR unknown command"), resp.blobError("ERR unknown command")],
  ])("is not sent where the answer to an empty one is %s", async (_, ...replies) => {
    const { transactions, answer, news, redis } = await bench();
    for (let n = 0; n < 2; n += 1) await transactions.run("s", steps(1));
    answer(...replies);
    await news();
    for (let n = 0; n < 3; n += 1) expect(await transactions.run("s", steps(1))).toBeUndefined();
    expect(await news()).toBe("");
    const pong = redis.ping();
    answer(resp.simple("PONG"));
    expect(await pong).toBe("PONG");
  });

  it.each<[what: string, replies: Buffer[], outcome: unknown]>([
    ["none could be added", [queued(3), added(notAdded, notAdded, notAdded)], "WRONGTYPE Operation"],
    ["the first could", [queued(3), added("9-9", notAdded, notAdded)], ["9-9"]],
    ["there is no stream", [queued(3), resp.list(new Array<Buffer>(3).fill(resp.string(null)))], []],
    ["there is no stream, in RESP3", [queued(3), resp.list(new Array<Buffer>(3).fill(resp.nothing()))], []],
    ["all are refused", [resp.simple("OK"), ...new Array<Buffer>(3).fill(resp.error("OOM command not allowed")), aborted], "OOM command not allowed"],
    ["some are refused", [queued(2), resp.error("READONLY You can't"), aborted], "READONLY You can't"],
    ["EXEC is refused", [queued(3), resp.error("EXECABORT Transaction discarded because of: READONLY You can't")], "READONLY You can't"],
    ["the slot is elsewhere", [resp.simple("OK"), ...new Array<Buffer>(3).fill(resp.error("MOVED 1 h:1")), aborted], "MOVED 1 h:1"],
    ["errors come as those of RESP3", [resp.simple("OK"), ...new Array<Buffer>(3).fill(resp.blobError("LOADING é")), resp.blobError("EXECABORT")], "LOADING é"],
    ["nobody is logged in any more", new Array<Buffer>(5).fill(resp.error("NOAUTH Authentication required.")), "NOAUTH Authentication required."],
    ["EXEC answers nothing", [queued(3), resp.list(null)], "The reply of EXEC has an unknown shape (something else than a list): please report it with the server's version"],
    ["MULTI is forbidden by now", [resp.error("NOPERM"), resp.string("1-0"), resp.string("1-1"), resp.string("1-2"), resp.error("ERR EXEC without MULTI")], ["1-0", "1-1", "1-2"]],
    ["MULTI is forbidden by now, and the second fails", [resp.error("NOPERM"), resp.string("1-0"), resp.error("OOM"), resp.string("1-2"), resp.error("ERR")], ["1-0"]],
    ["MULTI is forbidden by now, and the first fails", [resp.error("NOPERM"), resp.error("OOM x"), resp.string("1-0"), resp.string("1-2"), resp.error("ERR")], "OOM x"],
  ])("ends right when %s, however the bytes come, and the next command gets its own reply", async (_, replies, outcome) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(600), { maxLength: 8 }), fc.boolean().map((wanted) => wanted && knowsPushes), async (places, isPushed) => {
        const { transactions, answer, redis, news } = await allowed();
        const results = Promise.all([redis.get("a"), transactions.run("s", steps(3)).catch((error: unknown) => (error as Error).message), redis.get("b")]); // prettier-ignore
        await news();
        const pushed = isPushed ? [resp.push([resp.string("invalidate"), resp.list([resp.string("k")])])] : [];
        const bytes = Buffer.concat([resp.string("A"), replies[0]!, ...pushed, ...replies.slice(1), resp.string("B")]);
        const cut = cutAt(bytes, places.filter((place) => place < bytes.length)); // prettier-ignore
        answer(...cut);
        expect(await results).toEqual(["A", outcome, "B"]);
        redis.disconnect();
      }),
      { numRuns: 15 },
    );
  }); // prettier-ignore

  it("is none any more where MULTI was forbidden", async () => {
    const { transactions, answer, news } = await allowed();
    const ids = transactions.run("s", steps(1));
    answer(resp.error("NOPERM"), resp.string("1-0"), resp.error("ERR EXEC without MULTI"));
    expect(await ids).toEqual(["1-0"]);
    await news();
    expect(await transactions.run("s", steps(1))).toBeUndefined();
    expect(await news()).toBe("");
  });

  it("fails when the server can't read it, which says so once and hangs up", async () => {
    const { transactions, answer } = await allowed();
    const ids = transactions.run("s", steps(3));
    answer(Buffer.concat([queued(1), resp.error("ERR Protocol error: invalid bulk length")]));
    await expect(ids).rejects.toThrow("ERR Protocol error: invalid bulk length");
  });

  it("fails with its connection", async () => {
    const { transactions, answer, hangUp, news } = await allowed();
    const ids = transactions.run("s", steps(3));
    answer(queued(2));
    await news();
    hangUp();
    await expect(ids).rejects.toThrow("Connection is closed.");
  });
});

describe("on a client that is built in another way", () => {
  it.each<[string, (redis: Redis) => void]>([
    ["its socket has another listener", (redis) => redis.prependListener("connect", () => (redis as unknown as { stream: NodeJS.EventEmitter }).stream.on("data", () => undefined))],
    ["its `call` is bound", (redis) => Object.assign(redis, { call: redis.call.bind(redis) })],
    ["its `call` throws", (redis) => Object.assign(redis, { call: () => { throw new Error("no"); } })],
    ["its `call` makes something else", (redis) => Object.assign(redis, { call(this: { sendCommand: (command: object) => void }) { this.sendCommand({ name: "xadd" }); } })],
  ])("nothing is sent: %s", async (_, spoil) => {
    const { transactions, answer, news } = await bench({}, spoil);
    for (let n = 0; n < 4; n += 1) {
      expect(await transactions.run("s", steps(1))).toBeUndefined();
      if ((await news()) !== "") answer(resp.error("ERR wrong number of arguments"));
    }
    expect(await transactions.run("s", steps(1))).toBeUndefined();
    expect(await news()).toBe("");
  }); // prettier-ignore
});

import { afterEach, describe, expect, it, vi } from "vitest";
import type { ReaderOptions, ReadRequest } from "../../../src/redis/port.js";
import { FastReads, type FastRead } from "../../../src/redis/fast/fast-reads.js";
import { IoredisReader } from "../../../src/redis/ioredis-reader.js";
import { FakeConnection } from "../../support/fake-client.js";
import type { Redis } from "../../support/ioredis.js";
import { entryReply, readReply, resp } from "../../support/resp.js";
import { scriptedRedis, type ScriptedRedis } from "../../support/scripted-redis.js";

const request: ReadRequest = { group: "g", consumer: "c", streams: ["orders"], count: 10, blockMs: 5 };
const reply = (id: string): Buffer => readReply([["orders", [entryReply(id, ["n", "1"])]]]);
const pages = (id: string): unknown => [{ stream: "orders", entries: [[id, ["n", "1"]]] }];

const opened: Redis[] = [];
afterEach(() => opened.splice(0).forEach((redis) => redis.disconnect()));

interface Bench extends ScriptedRedis {
  readonly reader: IoredisReader;
  /** What ioredis answered to the reads: null where it never saw the reply. */
  readonly answers: unknown[];
  readonly reasons: string[];
}

/** A reader whose server is the test, and what it said of falling back. */
function bench(options: ReaderOptions = {}, spoil: (redis: Redis) => void = () => undefined): Bench {
  const [answers, reasons]: [unknown[], string[]] = [[], []];
  let reader!: IoredisReader;
  const scripted = scriptedRedis({}, (redis) => {
    const call = redis.callBuffer.bind(redis) as (...args: string[]) => Promise<unknown>;
    const noting = (...args: string[]): Promise<unknown> => call(...args).then((answer) => (answers.push(answer), answer));
    Object.assign(redis, { callBuffer: noting });
    spoil(redis);
    reader = new IoredisReader(() => redis, (stream) => stream, { ...options, fellBack: (reason) => reasons.push(reason) }); // prettier-ignore
  });
  opened.push(scripted.redis);
  return { ...scripted, reader, answers, reasons };
}

const ready = (redis: Redis): Promise<void> => vi.waitFor(() => expect(redis.status).toBe("ready"));

/** Lets what was written to the socket be written. */
const aMoment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("reads", () => {
  it("are answered without ioredis' decoder, the first one as well, which is sent before there is a connection", async () => {
    const { reader, answer, redis, answers, reasons } = bench({ reader: "fast" });
    const read = reader.read(request);
    await ready(redis);
    answer(reply("1-0"));
    expect(await read).toEqual(pages("1-0"));
    expect([answers, reasons]).toEqual([[null], []]);
  });

  it("may be under way together: in order, several replies in a chunk, and one in many", async () => {
    const { reader, answer, redis, answers } = bench();
    await ready(redis);
    const reads = [reader.read(request), reader.read(request), reader.read(request)];
    const bytes = reply("3-0");
    answer(
      Buffer.concat([reply("1-0"), resp.list(null), bytes.subarray(0, 7)]),
      ...[...bytes.subarray(7)].map((byte) => Buffer.from([byte])),
    );
    expect(await Promise.all(reads)).toEqual([pages("1-0"), [], pages("3-0")]);
    expect(answers).toEqual([null, null, null]);
  });

  it("stand among commands of others, whose replies share their chunks", async () => {
    const { reader, answer, redis, answers } = bench();
    await ready(redis);
    const results = Promise.all([redis.ping(), reader.read(request), redis.get("a"), reader.read(request), redis.get("b")]);
    const bytes = Buffer.concat([resp.simple("PONG"), reply("1-0"), resp.string("ä"), reply("2-0"), resp.string(null)]);
    const place = bytes.indexOf("ä") + 1; // within a character
    answer(bytes.subarray(0, place), bytes.subarray(place));
    expect(await results).toEqual(["PONG", pages("1-0"), "ä", pages("2-0"), null]);
    expect(answers).toEqual([null, null]);
  });

  it("are not mistaken: what looks like the reply to a read and answers another command is that command's", async () => {
    const { reader, answer, redis } = bench();
    await ready(redis);
    const results = Promise.all([redis.call("xreadgroup", "group", "g", "c", "streams", "a", ">"), reader.read(request)]);
    answer(Buffer.concat([reply("1-0"), reply("2-0")]));
    expect(await results).toEqual([[["orders", [["1-0", ["n", "1"]]]]], pages("2-0")]);
  });

  it("fail as ioredis makes them fail, and the next one goes on", async () => {
    const { reader, answer, redis, reasons } = bench();
    await ready(redis);
    const [first, second] = [reader.read(request), reader.read(request)];
    answer(Buffer.from("-NOGROUP No such k"), Buffer.concat([Buffer.from("ey\r"), Buffer.from("\n"), reply("2-0")]));
    await expect(first).rejects.toMatchObject({ name: "ReplyError", message: "NOGROUP No such key" });
    expect(await second).toEqual(pages("2-0"));
    expect(reasons).toEqual([]);
  });

  it("fail when the connection breaks in the middle of a reply: of that nothing is handed on", async () => {
    const { reader, answer, redis, hangUp } = bench();
    await ready(redis);
    const reads = [reader.read(request), reader.read(request)];
    answer(reply("1-0").subarray(0, -1));
    await aMoment();
    hangUp();
    for (const read of reads) await expect(read).rejects.toThrow("Connection is closed.");
  });

  it("whose reply has another shape are answered by ioredis, with a reason", async () => {
    const { reader, answer, redis, answers, reasons } = bench();
    await ready(redis);
    const flat = resp.list([resp.string("orders"), resp.list([entryReply("1-0", ["n", "1"])])]);
    const reads = [reader.read(request), reader.read(request), reader.read(request)];
    answer(Buffer.concat([flat, resp.integer(5), reply("3-0")]));
    expect(await reads[0]).toEqual(pages("1-0"));
    await expect(reads[1]).rejects.toThrow("The reply of XREADGROUP has an unknown shape (number)");
    expect(await reads[2]).toEqual(pages("3-0"));
    expect(answers.map((each) => each === null)).toEqual([false, false, true]);
    expect(reasons).toEqual(Array.from({ length: 2 }, () => "a reply to a read had another shape than is known"));
  });

  it("end with ioredis' own words when the bytes are no replies", async () => {
    const { reader, answer, redis } = bench();
    await ready(redis);
    const errors = vi.fn();
    redis.on("error", errors);
    const read = reader.read(request);
    answer(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(read).rejects.toThrow(/rotocol|RESP/);
    expect(errors).toHaveBeenCalled();
  });

  it("are forgotten with what they have brought when they are over, however they end", async () => {
    const [expected, forgotten] = [vi.spyOn(FastReads.prototype, "expect"), vi.spyOn(FastReads.prototype, "forget")];
    const { reader, answer, redis, hangUp } = bench();
    await ready(redis);
    const reads = [reader.read(request), reader.read(request), reader.read(request)];
    answer(reply("1-0"), Buffer.from("-NOGROUP No such key\r\n"));
    expect(await reads[0]).toEqual(pages("1-0"));
    await expect(reads[1]).rejects.toThrow("NOGROUP");
    hangUp();
    await expect(reads[2]).rejects.toThrow("Connection is closed.");
    const made = expected.mock.results.map(({ value }) => value as FastRead);
    expect(forgotten.mock.calls.map(([read]) => read)).toEqual(made);
    expect(made.map((read) => read.pages)).toEqual([undefined, undefined, undefined]);
    vi.restoreAllMocks();
  });

  it("of a stream without a group are fast as well", async () => {
    const { reader, answer, redis, answers, sent } = bench({ payload: "buffer" });
    await ready(redis);
    const read = reader.tail({ stream: "orders", after: "0-0" as never, count: 7, blockMs: 5 });
    answer(reply("1-0"));
    expect(await read).toEqual([["1-0", [Buffer.from("n"), Buffer.from("1")]]]);
    expect(answers).toEqual([null]);
    expect(sent()).toContain("*8\r\n$5\r\nxread\r\n$5\r\ncount\r\n$1\r\n7\r\n$5\r\nblock\r\n");
  });
});

describe("a client that is built in another way", () => {
  /** As if a later ioredis looked at its socket in another way. */
  const listenedTo = (redis: Redis): void => {
    redis.prependListener("connect", () => (redis as unknown as { stream: NodeJS.EventEmitter }).stream.on("data", () => undefined));
  };

  it("is read by its own decoder, with a reason", async () => {
    const { reader, answer, redis, answers, reasons } = bench({}, listenedTo);
    await ready(redis);
    const read = reader.read(request);
    answer(reply("1-0"));
    expect(await read).toEqual(pages("1-0"));
    expect(answers).not.toEqual([null]);
    expect(reasons).toEqual(["the connections of this client are not built as those of ioredis 5 and 6"]);
  });

  it("is no connection for the fast reader alone", async () => {
    const { reader, redis } = bench({ reader: "fast" }, listenedTo);
    await ready(redis);
    await expect(reader.read(request)).rejects.toThrow(/^`reader: "fast"` can't be had, because the connections of this client/);
    const other = new IoredisReader(() => new FakeConnection(() => null), (stream) => stream, { reader: "fast" }); // prettier-ignore
    await expect(other.read(request)).rejects.toThrow(TypeError);
  });

  it("is left alone by the portable reader", async () => {
    const { reader, answer, redis, answers, reasons } = bench({ reader: "portable" });
    await ready(redis);
    const read = reader.read(request);
    answer(reply("1-0"));
    expect(await read).toEqual(pages("1-0"));
    expect(answers).toEqual([[]]); // ioredis has had the reply; nothing is left in it that would live as long as its command
    expect(reasons).toEqual([]);
  });
});

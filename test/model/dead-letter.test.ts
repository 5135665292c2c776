import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../../src/errors.js";
import { encodeNote, noteField, toCause, toDeadLetter, type DeadLetter, type DeadLetterNote } from "../../src/model/dead-letter.js";
import { toEntryId } from "../../src/model/entry-id.js";

const id = toEntryId("1526919030474-7");
const note: DeadLetterNote = {
  origin: { stream: "orders", id: toEntryId("1526919000000-1"), group: "shipping", consumer: "me" },
  cause: { name: "TypeError", message: "no address" },
  deliveryCount: 5,
};
const read = (pairs: readonly string[]): DeadLetter => toDeadLetter("orders", "shipping", id, pairs) as DeadLetter;

describe("toDeadLetter", () => {
  it("has the original pairs as bytes, too, which are not printed", () => {
    const letter = read([noteField, encodeNote(note), "a", "ü"]);
    expect(letter.bytes).toEqual([Buffer.from("a"), Buffer.from("ü")]);
    expect(letter.bytes).toBe(letter.bytes);
    expect(Object.keys(letter)).not.toContain("bytes");
  });

  it("reads bytes as they are, packed ones included", () => {
    const odd = Buffer.from([0, 10, 34, 92, 127, 128, 195, 40, 255]);
    const plain = toDeadLetter("orders", "shipping", id, [noteField, encodeNote(note)].map((text) => Buffer.from(text)).concat(odd, odd));
    const json = Buffer.concat([Buffer.from('["\\u0000\\n\\"\\\\\\u007f'), odd.subarray(5), Buffer.from('"]')]); // as cjson writes them
    const packed = [noteField, encodeNote({ ...note, packed: true }), "pairs"].map((text) => Buffer.from(text)).concat(json);
    expect(plain.bytes).toEqual([odd, odd]);
    expect(toDeadLetter("orders", "shipping", id, packed).bytes).toEqual([odd]);
    expect(plain).toMatchObject({ origin: note.origin, pairs: [odd.toString(), odd.toString()] });
  });

  it("reads back what was noted, and the original pairs as they were", () => {
    const letter = read([noteField, encodeNote(note), "a", "1", "a", "2"]);
    expect({ ...letter, fields: { ...letter.fields } }).toEqual({
      ...note,
      firstFailedAt: 1526919030474,
      hops: 0,
      id,
      failedAt: 1_526_919_030_474,
      fields: { a: "2" },
      pairs: ["a", "1", "a", "2"],
    });
  });

  it("does not take a payload's field of the same name for the note", () => {
    const evil = encodeNote({ ...note, deliveryCount: 99 });
    const letter = read([noteField, encodeNote(note), noteField, evil, "a", "1"]);
    expect(letter.deliveryCount).toBe(5);
    expect(letter.pairs).toEqual([noteField, evil, "a", "1"]);
    expect(letter.fields[noteField]).toBe(evil);
  });

  it.each([
    ["no note at all", ["a", "1"]],
    ["a note that is not first", ["a", "1", noteField, encodeNote(note)]],
    ["no JSON", [noteField, "postponed"]],
    ["null", [noteField, "null"]],
    ["other JSON", [noteField, '{"cause":"x"}']],
    ["an origin that is no id", [noteField, JSON.stringify({ ...note, origin: { ...note.origin, id: "first" } })]],
    ["no cause", [noteField, JSON.stringify({ ...note, cause: undefined })]],
    ["no pairs", []],
  ])("shows a foreign entry as unreadable, with all of its pairs: %s", (_, pairs) => {
    const letter = read(pairs);
    expect(letter.cause.name).toBe("UnreadableDeadLetter");
    expect(letter.pairs).toEqual(pairs);
    expect(letter.origin).toEqual({ stream: "orders", id, group: "shipping", consumer: "" });
    expect(letter.deliveryCount).toBe(0);
  });

  it("unpacks what was too wide for a script", () => {
    const packed = encodeNote({ ...note, packed: true });
    const letter = read([noteField, packed, "pairs", '["a","1","a","2"]']);
    expect(letter.pairs).toEqual(["a", "1", "a", "2"]);
    expect(letter.fields["a"]).toBe("2");
    expect(letter).not.toHaveProperty("packed");
  });

  it.each([[[]], [["pairs", "{"]], [["pairs", "null"]], [["pairs", '{"a":1}']]])(
    "shows a packed note with pairs it can't unpack, instead of throwing: %j",
    (rest) => {
      const packed = encodeNote({ ...note, packed: true });
      expect(Array.isArray(read([noteField, packed, ...rest]).pairs)).toBe(true);
    },
  );

  it("lets a field named __proto__ be data", () => {
    const letter = read([noteField, encodeNote(note), "__proto__", "evil"]);
    expect(Object.keys(letter.fields)).toEqual(["__proto__"]);
  });
});

describe("toCause", () => {
  it("keeps name, message and stack of an error", () => {
    const error = new TypeError("no address");
    expect(toCause(error)).toEqual({ name: "TypeError", message: "no address", stack: error.stack });
  });

  it("keeps no stack of the library's own errors", () => {
    expect(toCause(new DecodeError("orderId: missing"))).toEqual({ name: "DecodeError", message: "orderId: missing" });
  });

  it("copies nothing else: an ioredis error carries payloads and passwords", async () => {
    const redis = new Redis({ lazyConnect: true, enableOfflineQueue: false, port: 1, retryStrategy: null });
    redis.on("error", () => undefined);
    const error: unknown = await redis.set("user", "hunter2").catch((thrown: unknown) => thrown);
    redis.disconnect();
    Object.assign(error as Error, { command: { name: "auth", args: ["hunter2"] } });
    const cause = toCause(error);
    expect(Object.keys(cause).sort()).toEqual(["message", "name", "stack"]);
    expect(JSON.stringify(cause)).not.toContain("hunter2");
  });

  it("leaves out what a server quotes of a command that it does not have", () => {
    const said = "ERR unknown command 'JSON.SET', with args beginning with: 'user:1' '$' 'hunter2' ";
    const cause = toCause(new Error(said));
    expect(cause.message).toBe("ERR unknown command 'JSON.SET'");
    expect(cause.stack).not.toContain("hunter2");
    expect(cause.stack).toContain("dead-letter.test.ts");
  });

  it("clips a long message and a long stack, and says how long they were", () => {
    const error = new Error("m".repeat(10_000));
    const cause = toCause(error);
    expect(cause.message).toBe(`${"m".repeat(2_000)}… (10000 characters)`);
    expect(cause.stack!.length).toBeLessThan(4_100);
  });

  it.each([
    ["a string", "out of stock", { name: "string", message: "out of stock" }],
    ["a long string", "x".repeat(2_001), { name: "string", message: `${"x".repeat(2_000)}… (2001 characters)` }],
    ["an object", { code: 7 }, { name: "object", message: '{"code":7}' }],
    ["null", null, { name: "object", message: "null" }],
    ["a number", 5, { name: "number", message: "5" }],
    ["a bigint", 5n, { name: "bigint", message: "5" }],
  ])("describes %s that was thrown", (_, thrown, cause) => expect(toCause(thrown)).toEqual(cause));

  it("describes what has no JSON", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(toCause(circular)).toEqual({ name: "object", message: "[object Object]" });
  });

  // `Promise.reject()` and `reject()` in a callback are common: a cause that can't be described can't be written, ever
  it.each([
    ["undefined", undefined],
    ["a function", (): void => undefined],
    ["a symbol", Symbol("why")],
    ["an object whose JSON is nothing", { toJSON: () => undefined }],
    ["an error without a message", Object.assign(new Error("x"), { message: undefined })],
    ["an error whose message is no text", Object.assign(new Error("x"), { message: { code: 7 } })],
  ])("describes %s", (_, thrown) => {
    const { name, message } = toCause(thrown);
    expect([typeof name, typeof message]).toEqual(["string", "string"]);
  });
});

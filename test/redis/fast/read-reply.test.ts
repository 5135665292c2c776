import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReadReply, type ReadForm } from "../../../src/redis/fast/read-reply.js";
import { entryReply, readReply, resp } from "../../support/resp.js";

const form: ReadForm = { toName: (key) => key, claims: false, payload: "string" };
const decode = (reply: Buffer, overrides: Partial<ReadForm> = {}): unknown => new ReadReply().decode(reply, { ...form, ...overrides });
const b = Buffer.from.bind(Buffer) as (text: string) => Buffer;

describe.each([2, 3] as const)("a reply of RESP%i", (protocol) => {
  const pairs = ["näme", "välue ✓ 🎈", "", "", "n", "\r\n$1\r\n"];
  const reply = readReply([["app:a", [entryReply("1-0", pairs), entryReply("2-0", null)]], ["app:b", [entryReply("3-0", [])]]], protocol); // prettier-ignore

  it("is read as text", () => {
    expect(decode(reply, { toName: (key) => key.slice(4) })).toEqual([
      { stream: "a", entries: [["1-0", pairs], ["2-0", null]] },
      { stream: "b", entries: [["3-0", []]] },
    ]); // prettier-ignore
  });

  it("is read as bytes", () => {
    const [page] = decode(reply, { payload: "buffer" }) as { entries: unknown }[];
    expect(page!.entries).toEqual([["1-0", pairs.map(b)], ["2-0", null]]); // prettier-ignore
  });

  it("of a read that claims says how often entries were delivered, and how many are claimed", () => {
    const entries = [entryReply("1-0", ["a", "1"], { idleMs: 5, count: 2 }), entryReply("2-0", null, { idleMs: 3, count: 7 }), entryReply("3-0", ["a", "2"], { idleMs: 0, count: 0 })]; // prettier-ignore
    expect(decode(readReply([["a", entries]], protocol), { claims: true })).toEqual([
      { stream: "a", claimed: 2, entries: [["1-0", ["a", "1"], 3], ["2-0", null, 8], ["3-0", ["a", "2"], 1]] },
    ]); // prettier-ignore
  });

  it("counts as claimed what was delivered within this millisecond, and what was released as if it never had been", () => {
    const entries = [entryReply("1-0", [], { idleMs: 0, count: 1 }), entryReply("2-0", [], { idleMs: 9, count: 0 }), entryReply("3-0", [], { idleMs: 0, count: 0 })]; // prettier-ignore
    expect(decode(readReply([["a", entries]], protocol), { claims: true })).toMatchObject([{ claimed: 2 }]);
  });

  it("leaves out streams without entries", () => {
    expect(decode(readReply([["a", []], ["b", [entryReply("1-0", [])]]], protocol))).toEqual([{ stream: "b", entries: [["1-0", []]] }]); // prettier-ignore
    expect(decode(readReply([], protocol))).toEqual([]);
  });
});

describe("ReadReply", () => {
  it.each(["*-1\r\n", "$-1\r\n", "_\r\n", "*0\r\n", "%0\r\n"])("takes %j for nothing", (reply) => expect(decode(b(reply))).toEqual([]));

  it.each(
    [
      resp.error("NOGROUP No such key"),
      resp.simple("OK"),
      resp.integer(5),
      resp.string("x"),
      resp.list([resp.string("a"), resp.list([])]),
      resp.list([resp.list([resp.string("a")])]),
      resp.list([resp.list([resp.string("a"), resp.string("b")])]),
      resp.list([resp.list([resp.string(null), resp.list([])])]),
      readReply([["a", [resp.list([resp.string("1-0")])]]]),
      readReply([["a", [entryReply("1-0", ["odd"])]]]),
      readReply([["a", [resp.list([resp.string("1-0"), resp.string("x")])]]]),
      readReply([["a", [resp.list([resp.string("1-0"), resp.list([resp.string("n"), resp.string(null)])])]]]),
      readReply([["a", [resp.list([resp.string("1-0"), resp.list([resp.string("n"), resp.integer(1)])])]]]),
      readReply([["a", [entryReply("1-0", [], { idleMs: 0, count: 0 })]]]),
      resp.push([resp.string("message"), resp.string("a"), resp.string("b")]),
      resp.set([]),
      resp.blobError("ERR"),
      resp.attributes([], readReply([])),
      Buffer.concat([readReply([]), b("+")]),
    ].map(String),
  )("leaves %j to others", (reply) => expect(decode(b(reply))).toBeUndefined());

  it("leaves entries without an idle time to others, where one is due", () => {
    expect(decode(readReply([["a", [entryReply("1-0", [])]]]), { claims: true })).toBeUndefined();
  });

  it("reads any values as Buffer.toString does, at any size", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }).map((text) => b(text)),
      fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        Buffer.from([0xff]),
        Buffer.from([0xe2, 0x82]),
        Buffer.from([0xf0, 0x9f, 0x8e]),
        Buffer.from([0xef, 0xbb, 0xbf, 0x41]),
      ),
    );
    const reader = new ReadReply();
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(value, value), { maxLength: 6 }), { maxLength: 4 }), (entries) => {
        const reply = readReply([["a", entries.map((pairs, index) => entryReply(`${index}-1`, pairs.flat()))]]);
        const expected = entries.map((pairs, index) => [`${index}-1`, pairs.flat().map((part) => part.toString())]);
        expect(reader.decode(reply, form)).toEqual(entries.length === 0 ? [] : [{ stream: "a", entries: expected }]);
        const bytes = entries.map((pairs, index) => [`${index}-1`, pairs.flat()]);
        expect(reader.decode(reply, { ...form, payload: "buffer" })).toEqual(entries.length === 0 ? [] : [{ stream: "a", entries: bytes }]);
      }),
      { numRuns: 500 },
    );
  });

  it("is right about names that come, go, and change their places", () => {
    const reader = new ReadReply();
    const page = (...names: string[]): unknown => (reader.decode(readReply([["a", [entryReply("1-0", names.flatMap((name) => [name, "v"]))]]]), form)?.[0]?.entries[0]?.[1] as string[]).filter((_, index) => index % 2 === 0); // prettier-ignore
    for (const names of [["a", "b"], ["a", "b"], ["b", "a"], ["a"], ["ab", "b", "c"], ["a", "ü"], ["a", "ü"], ["x".repeat(65)], ["x".repeat(65)]]) expect(page(...names)).toEqual(names); // prettier-ignore
    const many = Array.from({ length: 200 }, (_, index) => `name${index}`);
    expect(page(...many)).toEqual(many);
    expect(page(...many.reverse())).toEqual(many);
  });

  it("gives nothing that a later change of the bytes would change", () => {
    const reply = readReply([["orders", [entryReply("1526919030474-55", ["name", "a value of more than a few units"])]]]);
    for (const payload of ["string", "buffer"] as const) {
      const bytes = Buffer.from(reply);
      const pages = decode(bytes, { payload });
      bytes.fill("x");
      expect(pages).toEqual(decode(reply, { payload }));
    }
  });
});

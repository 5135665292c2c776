import { describe, expect, it } from "vitest";
import { ReplyError } from "../../src/errors.js";
import {
  decodeCount,
  decodeDue,
  decodeIdle,
  decodeIds,
  decodeList,
  decodeRange,
  decodeRead,
  decodeRecord,
} from "../../src/redis/decode-reply.js";

const same = (key: string): string => key;
const entries = [
  ["1-0", ["a", "1"]],
  ["2-0", ["b", "2", "b", "3"]],
];

/** One argument per case, also where it is a list. */
const alone = (...replies: readonly unknown[]): (readonly [unknown])[] => replies.map((reply) => [reply]);

/** What a malformed reply leads to: an error that shows the outline and none of the data. */
function refusal(decode: () => unknown): ReplyError {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(ReplyError);
    expect((error as ReplyError).message).not.toContain("secret");
    return error as ReplyError;
  }
  throw new Error("Expected it to throw");
}

describe("decodeRead", () => {
  it.each<readonly [string, unknown]>([
    ["nested pairs: RESP2, and ioredis 6 with the legacy mapping", [["orders", entries]]],
    ["a flat list: ioredis 6 for a command in upper case", ["orders", entries]],
    ["an object: ioredis 6 with the resp3 mapping", { orders: entries }],
    ["a map: RESP3", new Map([["orders", entries]])],
  ])("reads %s", (_, reply) => expect(decodeRead(reply, same)).toEqual([{ stream: "orders", entries }]));

  it.each<readonly [string, unknown]>([
    ["nested pairs", [["a", entries], ["b", entries]]], // prettier-ignore
    ["a flat list", ["a", entries, "b", entries]],
    ["an object", { a: entries, b: entries }],
    ["a map", new Map([["a", entries], ["b", entries]])], // prettier-ignore
  ])("reads several streams from %s", (_, reply) => expect(decodeRead(reply, same).map(({ stream }) => stream)).toEqual(["a", "b"]));

  it.each(alone(null, undefined, [], {}, new Map()))("takes %j for nothing", (reply) => expect(decodeRead(reply, same)).toEqual([]));

  it("leaves out streams without entries: a wake-up whose entries were deleted at once", () => {
    expect(decodeRead([["orders", []], ["refunds", entries]], same)).toEqual([{ stream: "refunds", entries }]); // prettier-ignore
    expect(decodeRead([["orders", []]], same)).toEqual([]);
  });

  it("passes on entries that were deleted while pending, as null", () => {
    expect(decodeRead([["orders", [["1-0", null]]]], same)[0]!.entries).toEqual([["1-0", null]]);
  });

  it("passes the entries on as they are: nothing is made per entry", () => {
    expect(decodeRead([["orders", entries]], same)[0]!.entries).toBe(entries);
  });

  it("gives keys the names of their streams", () => {
    expect(decodeRead([["app:orders", entries]], (key) => key.slice("app:".length))[0]!.stream).toBe("orders");
  });

  it("takes a stream named like a property of objects for a stream", () => {
    expect(decodeRead(JSON.parse('{"__proto__":[["1-0",["a","1"]]]}'), same).map(({ stream }) => stream)).toEqual(["__proto__"]);
  });

  it.each<readonly [unknown, string]>([
    ["secret", "string"],
    [5, "number"],
    [true, "boolean"],
    [[["secret", "secret"]], "[[string, string]]"],
    [[["secret", null]], "[[string, null]]"],
    [["secret", "secret"], "[string, string]"],
    [{ secret: "secret" }, "object"],
    [[["secret"]], "[[string]]"],
  ])("refuses %j without showing its data", (reply, shape) => {
    expect(refusal(() => decodeRead(reply, same)).message).toContain(`The reply of XREADGROUP has an unknown shape (${shape})`);
  });

  it("bounds what it shows of a deep reply", () => {
    const deep = [[[[[[["secret"]]]]]], 1, 2, 3, 4];
    expect(refusal(() => decodeRead([["secret", { deep }]], same)).message).toContain("[[string, object]]");
    expect(refusal(() => decodeCount("XACK", deep)).message).toContain("([[[[[…]]]], number, number])");
  });
});

describe("decodeRange", () => {
  it("reads entries", () => expect(decodeRange(entries)).toBe(entries));

  it.each([null, "secret", 5, { secret: 1 }])("refuses %j", (reply) =>
    expect(refusal(() => decodeRange(reply)).message).toContain("The reply of XRANGE"),
  );
});

describe("decodeCount", () => {
  it.each([
    [5, 5],
    [0, 0],
    ["5", 5], // stringNumbers
    [-1, -1],
  ])("reads %j", (reply, count) => expect(decodeCount("XACK", reply)).toBe(count));

  it.each(alone(null, undefined, "secret", 1.5, NaN, {}, "", [], true))("refuses %j", (reply) => {
    expect(refusal(() => decodeCount("XACK", reply)).message).toContain("The reply of XACK");
  });
});

describe("decodeRecord", () => {
  const expected = new Map<string, unknown>([["length", 2], ["last-generated-id", "2-0"], ["first-entry", null]]); // prettier-ignore

  it.each<readonly [string, unknown]>([
    ["a flat list", ["length", 2, "last-generated-id", "2-0", "first-entry", null]],
    ["an object", { length: 2, "last-generated-id": "2-0", "first-entry": null }],
    ["a map", expected],
  ])("reads %s by name", (_, reply) => expect(decodeRecord("XINFO STREAM", reply)).toEqual(expected));

  it.each([null, undefined, "secret", 5])("refuses %j", (reply) => {
    expect(refusal(() => decodeRecord("XINFO STREAM", reply)).message).toContain("The reply of XINFO STREAM");
  });
});

describe("decodeDue", () => {
  it("reads what was taken, what was deleted, and when the next is due", () => {
    const due = [["1-0", ["a", "1"], 3]];
    expect(decodeDue([due, ["2-0"], 250, []])).toEqual({ entries: due, deleted: ["2-0"], nextDueMs: 250 });
    expect(decodeDue([[], [], -1])).toEqual({ entries: [], deleted: [], nextDueMs: undefined });
    expect(decodeDue([[], [], "0"]).nextDueMs).toBe(0);
  });

  it.each(alone(null, [], [[], []], [["secret"], "secret", 5], ["secret", [], 5], [[], [], "secret"]))("refuses %j", (reply) => {
    expect(refusal(() => decodeDue(reply)).message).toMatch(/The reply of (take\.lua|a script)/);
  });
});

describe("decodeIdle", () => {
  it("reads where the scan goes on, and the caller's own stale entries", () => {
    expect(decodeIdle([[["1-0", ["a", "1"], 2]], [], "(1-0", ["9-0"]])).toEqual({
      entries: [["1-0", ["a", "1"], 2]],
      deleted: [],
      cursor: "(1-0",
      mine: ["9-0"],
    });
    expect(decodeIdle([[], ["3-0"], "", []])).toEqual({ entries: [], deleted: ["3-0"], cursor: undefined, mine: [] });
  });

  it.each(alone(null, [], [[], [], ""], [[], "secret", "", []]))("refuses %j", (reply) => {
    expect(refusal(() => decodeIdle(reply)).message).toMatch(/The reply of (take\.lua|a script)/);
  });

  it("refuses a scan that does not say where it goes on: it would begin anew for ever", () => {
    expect(refusal(() => decodeIdle([[], [], null, []])).message).toContain("take.lua");
  });
});

describe("decodeIds and decodeList", () => {
  it("read lists", () => {
    expect(decodeIds(["1-0"])).toEqual(["1-0"]);
    expect(decodeList("COMMAND INFO", [null])).toEqual([null]);
  });

  it("refuse the rest", () => {
    expect(refusal(() => decodeIds("secret")).message).toContain("a script");
    expect(refusal(() => decodeList("COMMAND INFO", null)).message).toContain("COMMAND INFO");
  });
});

describe("decodeRead of a read that claims", () => {
  it("counts as claimed what was delivered within this millisecond, and what was released as if it never had been", () => {
    const entries = () => [["1-0", [], 0, 1], ["2-0", [], 9, 0], ["3-0", [], 0, 0]]; // prettier-ignore
    expect(decodeRead([["a", entries()]], (key) => key, true)).toMatchObject([{ claimed: 2, entries: [["1-0", [], 2], ["2-0", [], 1], ["3-0", [], 1]] }]); // prettier-ignore
  });
});

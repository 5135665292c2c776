import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplyEnds } from "../../../src/redis/fast/reply-ends.js";
import { cutAt, resp } from "../../support/resp.js";

/** Where replies end, counted from the first byte of all chunks. */
function endsIn(chunks: readonly Buffer[]): number[] {
  const ends = new ReplyEnds();
  const found: number[] = [];
  let before = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const end = ends.next(chunk, from);
      if (end < 0) break;
      found.push(before + end);
      from = end;
    }
    before += chunk.length;
  }
  return found;
}

const text = fc.string({ unit: "binary", maxLength: 12 });
const oneLine = fc.stringMatching(/^[ -~]{0,12}$/);
/** Any reply of either protocol. */
const { reply } = fc.letrec<{ reply: Buffer; items: Buffer[] }>((tie) => ({
  items: fc.array(tie("reply"), { maxLength: 4 }),
  reply: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      text.map(resp.string),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => resp.string(Buffer.from(bytes))),
      fc.constantFrom(resp.string(null), resp.list(null), resp.nothing(), resp.string("\r\n$3\r\n*2\r\n"), resp.boolean(true)),
      fc.integer().map(resp.integer),
      fc.double().map(resp.double),
      fc.bigInt().map((digits) => resp.bigNumber(String(digits))),
      oneLine.map(resp.simple),
      oneLine.map(resp.error),
      text.map(resp.verbatim),
      text.map(resp.blobError),
    ),
    tie("items").map(resp.list),
    tie("items").map(resp.set),
    tie("items").map(resp.push),
    tie("items").map((items) => resp.map([...items, ...items])),
    fc.tuple(tie("items"), tie("reply")).map(([items, value]) => resp.attributes([...items, ...items], value)),
  ),
}));

describe("ReplyEnds", () => {
  it("finds the end of any replies, wherever the chunks break off", () => {
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(400), { maxLength: 20 }), (replies, places) => {
        const bytes = Buffer.concat(replies);
        const expected = replies.map((_, index) => Buffer.concat(replies.slice(0, index + 1)).length);
        expect(
          endsIn(
            cutAt(
              bytes,
              places.filter((place) => place < bytes.length),
            ),
          ),
        ).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it("finds them at every single place, and byte by byte", () => {
    const replies = [resp.list([resp.string("a\r\n"), resp.list(null), resp.integer(-12)]), resp.error("ERR no"), resp.map([resp.nothing(), resp.string("")])]; // prettier-ignore
    const bytes = Buffer.concat(replies);
    const expected = [replies[0]!.length, replies[0]!.length + replies[1]!.length, bytes.length];
    for (let place = 0; place <= bytes.length; place += 1) expect(endsIn(cutAt(bytes, [place]))).toEqual(expected);
    expect(endsIn(cutAt(bytes, [...bytes.keys()]))).toEqual(expected);
  });

  it("waits for the last byte", () => {
    const bytes = resp.list([resp.string("abc"), resp.list([])]);
    for (let length = 0; length < bytes.length; length += 1) expect(endsIn([bytes.subarray(0, length)])).toEqual([]);
  });

  it.each(["hello\r\n", "*a\r\n", "$-2\r\n", "*?\r\n", "%-1\r\n", "$5x\r\n", "\r\n", "*1\r\nx", "$3\rx\n"])("refuses %j, in one piece and in many", (bytes) => {
    expect(() => endsIn([Buffer.from(bytes)])).toThrow();
    expect(() => endsIn(cutAt(Buffer.from(bytes), [...Buffer.from(bytes).keys()]))).toThrow();
  }); // prettier-ignore
});

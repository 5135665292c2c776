import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandHead, CommandWriter } from "../../../src/redis/fast/encode.js";

/** As the protocol has it: a count, and each word with its length in bytes. */
const plainly = (command: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${command.length}\r\n`),
    ...command.flatMap((word) => [Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), Buffer.from("\r\n")]),
  ]);

const word = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ maxLength: 400 }),
  fc.constantFrom("", "\r\n", "ü", "🎏", "\ud800"),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
);

describe("CommandWriter", () => {
  it("writes any commands as the protocol has them", () => {
    const command = fc.record({ head: fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.integer()), { minLength: 1, maxLength: 4 }), words: fc.array(word) }); // prettier-ignore
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const writer = new CommandWriter();
        for (const { head, words } of commands) writer.add(commandHead(...head), words);
        expect(writer.end()).toEqual(Buffer.concat(commands.map(({ head, words }) => plainly([...head.map(String), ...words]))));
      }),
    );
  });
});

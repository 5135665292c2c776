import { from, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { decode } from "../../src/operators/decode.js";
import { json } from "../../src/operators/json.js";
import { idOf, summary, TestSource } from "../support/deliveries.js";

const read = (fields: Record<string, string>, codec = json("payload")): Promise<string> => readPairs(Object.entries(fields).flat(), codec);

async function readPairs(pairs: readonly string[] | readonly Buffer[], codec = json("payload")): Promise<string> {
  const items$ = from(new TestSource().page([[idOf(1), pairs]])).pipe(decode(codec), toArray());
  const items = await lastValueFrom(items$, { defaultValue: [] });
  return items.map(summary).join();
}

describe("json", () => {
  it("reads one field as JSON, and ignores the others", async () => {
    expect(await read({ other: "x", payload: '{"a":[1,null]}' })).toBe('1-0 = {"a":[1,null]}');
  });

  it("reads bytes that are UTF-8, and refuses others", async () => {
    const read = (payload: Buffer): Promise<string> => readPairs([Buffer.from("payload"), payload]);
    expect(await read(Buffer.from('"grüße"'))).toBe('1-0 = "grüße"');
    expect(await read(Buffer.from([34, 0xc3, 0x28, 34]))).toBe("1-0 dead payload: the bytes are no UTF-8");
    expect(await read(Buffer.alloc(0))).toMatch(/^1-0 dead payload: ./);
  });

  it.each(["null", "0", '""', "false", "[]"])("takes %s for a value", async (payload) => {
    expect(await read({ payload })).toBe(`1-0 = ${payload}`);
  });

  it("refuses an entry without the field", async () => {
    expect(await read({ other: "{}" })).toBe("1-0 dead payload: the field is missing");
  });

  it("reads no field from a prototype", async () => {
    expect(await read({}, json("toString"))).toBe("1-0 dead toString: the field is missing");
  });

  it.each(["", "{", "undefined", "'x'"])("refuses what is no JSON: %j", async (payload) => {
    expect(await read({ payload })).toMatch(/^1-0 dead payload: ./);
  });

  it("reads the result with a schema", async () => {
    const codec = json("payload", z.object({ userId: z.string() }));
    expect(await read({ payload: '{"userId":"u","extra":1}' }, codec)).toBe('1-0 = {"userId":"u"}');
    expect(await read({ payload: '{"userId":5}' }, codec)).toMatch(/^1-0 dead userId: /);
  });

  it("reads the result with an asynchronous schema", async () => {
    const known = z.string().refine((name) => Promise.resolve(name === "ann"), "who is that?");
    expect(await read({ payload: '"ann"' }, json("payload", known))).toBe('1-0 = "ann"');
    expect(await read({ payload: '"bob"' }, json("payload", known))).toBe("1-0 dead who is that?");
  });

  it("refuses a field without a name when it is called", () => {
    expect(() => json("")).toThrow(/^Expected `field` to be a string that is not empty/);
  });
});

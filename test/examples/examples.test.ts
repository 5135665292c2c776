import { readdirSync, readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, it } from "vitest";
import { until } from "../support/until.js";
import { runExample } from "./run-example.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

const keysOf = (part: string): Promise<readonly string[]> => redis.keys(`*${part}*`);

/** The lines of the comment that says what an example prints. */
const promised = (source: string): readonly string[] =>
  source
    .slice(source.indexOf("// Prints:\n"))
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.slice("//   ".length));

describe("a short example", () => {
  const names = readdirSync("examples").filter((name) => /^\d\d-.*\.ts$/.test(name) && !name.startsWith("01-"));

  it("is there for every number", () => {
    expect(names.map((name) => name.slice(0, 2))).toEqual(["02", "03", "04", "05"]);
  });

  for (const name of names) {
    it(`${name} ends by itself and prints what it says, in fewer than 70 lines, and leaves no key`, async () => {
      const source = readFileSync(`examples/${name}`, "utf8");
      const before = await keysOf(`example-${name.slice(0, 2)}-`);
      const { code, lines, errors } = await runExample(name).ended;
      expect(errors).toBe("");
      expect(lines).toEqual(promised(source));
      expect(code).toBe(0);
      expect(source.trimEnd().split("\n").length).toBeLessThan(70);
      expect(await keysOf(`example-${name.slice(0, 2)}-`)).toEqual(before);
    });
  }
});

describe("the order stream", () => {
  /** A number of the table by the name of its row. */
  const numberIn = (lines: readonly string[], row: string): number =>
    Number(new RegExp(`^ *${row} +(\\d+)`).exec(lines.find((line) => line.trim().startsWith(row)) ?? "")?.[1]);
  const streamIn = (output: string): string => /order-events-\w+/.exec(output)?.[0] ?? "none";

  it("accounts for every event although a worker is killed, within 20 seconds, and leaves no key", async () => {
    const { code, lines, errors, tookMs } = await runExample("01-order-stream.ts").ended;
    const count = (row: string): number => numberIn(lines, row);
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(20_000);
    expect(count("added")).toBe(2_000);
    expect(count("handled")).toBe(1_940);
    expect(count("dead-lettered")).toBe(60);
    expect(count("retried")).toBe(60);
    expect(count("recovered")).toBeGreaterThan(0);
    expect([count("pending"), count("unread"), count("unaccounted for")]).toEqual([0, 0, 0]);
    expect(lines.filter((line) => line.includes("DecodeError")).map((line) => Number(line.trim().split(" ")[0]))).toEqual([20, 20]);
    expect(lines.some((line) => /worker-2 was killed with SIGKILL/.test(line))).toBe(true);
    expect(await keysOf(streamIn(lines.join()))).toEqual([]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`drains on ${signal}, however often it comes, and says what is left`, async () => {
      const run = runExample("01-order-stream.ts");
      await until(() => run.output().includes("25 %"), "a quarter is handled");
      run.process.kill(signal);
      await until(() => run.output().includes("Interrupted"), "it drains");
      run.process.kill(signal);
      const { code, lines, errors } = await run.ended;
      const count = (row: string): number => numberIn(lines, row);
      expect(errors).toBe("");
      expect(code).toBe(0);
      expect(lines.filter((line) => line.includes("drained")).length).toBeGreaterThanOrEqual(2);
      expect(count("handled")).toBeGreaterThan(700);
      expect(count("handled") + count("dead-lettered") + count("pending") + count("unread")).toBe(count("added"));
      expect(count("unaccounted for")).toBe(0);
      expect(await keysOf(streamIn(lines.join()))).toEqual([]);
    });
  }
});

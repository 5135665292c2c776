import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { documents, publishedResults } from "../../bench/harness/publish.js";
import type { Results } from "../../bench/harness/results.js";

const read = (path: string): string => readFileSync(path, "utf8");
const published = JSON.parse(read(publishedResults)) as Results;

describe("the published benchmarks", () => {
  it("are the charts and tables that the published results give, and nothing written by hand", () => {
    for (const [path, text] of documents(published, read)) expect(read(path), path).toBe(text);
  });

  it("are of a full run", () => {
    expect(published.short).toBe(false);
  });
});

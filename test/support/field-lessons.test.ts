import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const rows = read("docs/field-lessons.md")
  .split("\n")
  .flatMap((line) => {
    const [, , , file, name] = line.split("|").map((cell) => cell.trim());
    const path = /^`(test\/.*)`$/.exec(file ?? "")?.[1];
    return path === undefined ? [] : [[path, name ?? ""] as const];
  });

describe("the table of docs/field-lessons.md", () => {
  it("has rows", () => expect(rows.length).toBeGreaterThan(50));

  it.each(rows)("names a test that exists: %s, %s", (file, name) => {
    const titles = read(file)
      .split("\n")
      .filter((line) => /\bit\b|^\s*\]\)\(|^\s*["'`]/.test(line));
    expect(titles.filter((title) => title.includes(name))).not.toEqual([]);
  });
});

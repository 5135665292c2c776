import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../../src/redis/scripts/", import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith(".lua"));
const integration = new URL("../integration/", import.meta.url);
const tests = readdirSync(integration)
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => readFileSync(new URL(name, integration), "utf8"))
  .join("\n");

describe.each(scripts)("%s", (name) => {
  const source = readFileSync(new URL(name, folder), "utf8");
  const [header = ""] = /^(?:--.*\n)+/.exec(source) ?? [];
  const code = source.slice(header.length).replace(/--.*/g, "");

  it("has a header with its keys, arguments, result and complexity", () => {
    expect(header).toMatch(/^-- KEYS/m);
    if (code.includes("ARGV")) expect(header).toMatch(/^--.*\bARGV\[1/m);
    expect(header).toMatch(/^-- Result: /m);
    expect(header).toMatch(/^-- Complexity: .*O\(/m);
  });

  it("names in its header every key and argument that it reads by number", () => {
    for (const [, kind = "", place = ""] of code.matchAll(/\b(KEYS|ARGV)\[(\d+)\]/g)) {
      const named = [...header.matchAll(new RegExp(`${kind}\\[(\\d+)(\\.\\.\\.)?\\]`, "g"))];
      const isNamed = named.some(([, first, more]) => first === place || (more !== undefined && Number(first) <= Number(place)));
      expect(isNamed, `${kind}[${place}]`).toBe(true);
    }
  });

  it("has a test of its own", () => expect(tests).toContain(`describe("${name}`));
});

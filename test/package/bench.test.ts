import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Results } from "../../bench/harness/results.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const only = "drain-120,pipeline,hand-off,produce";
const variants = "^(sync handler|README pipeline|handOff.*|appendTo)$";
let folder = "";
let printed = "";
let results: Results;

// what Redis has read, pending and added is checked by the benchmarks themselves: a variant that loses entries fails the run
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rxjs-redis-streams-bench-"));
  const out = join(folder, "results.json");
  const args = ["bench/run.ts", "--short", "--no-install", "--entries", "3000", "--only", only, "--variant", variants, "--out", out];
  printed = execFileSync(process.execPath, ["--import", "tsx", ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  results = JSON.parse(readFileSync(out, "utf8")) as Results;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the short form of the benchmarks", () => {
  it("runs on the built package, with a server of its own and without the peers", () => {
    const ran = results.workloads.map(({ workload, runs }) => [workload, runs.map(({ variant }) => variant)]);
    expect(ran).toEqual([
      ["drain-120", ["loop, ioredis 6", "sync handler"]],
      ["pipeline", ["by hand", "README pipeline"]],
      ["hand-off", ["by hand, at least once", "handOff, exactly once"]],
      ["produce", ["pipeline of 500", "appendTo"]],
    ]);
  });

  it("measures a rate and the CPU of client and server for each", () => {
    const figures = results.workloads.flatMap(({ runs }) => runs.flatMap((run) => Object.values(run.figures)));
    expect(figures.length).toBe(8 * 3);
    for (const figure of figures) expect(figure).toBeGreaterThan(0);
  });

  it("prints tables and what is reached, and warns that a short run says nothing about speed", () => {
    expect(printed).toMatch(/README pipeline +[\d ]+/);
    expect(printed).toMatch(/not measured|reached/);
    expect(printed).toContain("says nothing about speed");
  });
});

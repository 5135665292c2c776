import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { claims, type Claim } from "../../bench/claims.js";
import { judge } from "../../bench/harness/judge.js";
import type { Run } from "../../bench/harness/results.js";
import { workloads } from "../../bench/workloads/all.js";

const claim: Claim = { what: "twice as fast", workload: "w", variant: "new", metric: "rate", against: "old", atLeast: 2 };
const run = (variant: string, round: number, rate: number): Run => ({ variant, round, figures: { rate } });
const measured = (...runs: Run[]) => ({
  workloads: [
    { workload: "w", day: "2026-11-23", commit: "abc", entries: 1, warmUp: 0, rounds: 3, full: true, load: [0, 0] as const, runs },
  ],
});

describe("judge", () => {
  it("takes the median of the ratios, not the ratio of the medians", () => {
    const runs = [run("old", 1, 10), run("new", 1, 30), run("old", 2, 100), run("new", 2, 110), run("old", 3, 1), run("new", 3, 2)];
    expect(judge(claim, measured(...runs))).toMatchObject({ figure: { median: 2, min: 1.1, max: 3 }, verdict: "reached" });
  });

  it("says when a figure is not reached, from above and from below", () => {
    const runs = measured(run("old", 1, 10), run("new", 1, 19));
    expect(judge(claim, runs).verdict).toBe("not reached");
    expect(judge({ ...claim, atLeast: 1, atMost: 1.8 }, runs).verdict).toBe("not reached");
  });

  it("takes the figure itself when it is compared with nothing", () => {
    const { against: _, atLeast: __, ...figure } = claim;
    expect(judge({ ...figure, atMost: 19 }, measured(run("new", 1, 19)))).toMatchObject({ figure: { median: 19 }, verdict: "reached" });
  });

  it("claims nothing that was not measured", () => {
    expect(judge(claim, { workloads: [] }).verdict).toBe("not measured");
    expect(judge(claim, measured(run("new", 1, 19))).verdict).toBe("not measured");
  });
});

describe("the claims", () => {
  it.each(claims)("name what is measured: $what", ({ workload, variant, against, metric }) => {
    const found = workloads.find(({ name }) => name === workload);
    const names = found?.variants.map(({ name }) => name);
    expect(names).toContain(variant);
    if (against !== undefined) expect(names).toContain(against);
    expect(found?.metrics.map(({ key }) => key)).toContain(metric);
  });
});

describe("the workloads", () => {
  it.each(workloads)("$name has a base, variants of different names, and a program for each", ({ base, variants }) => {
    const names = variants.map(({ name }) => name);
    expect(names).toContain(base);
    expect(new Set(names).size).toBe(names.length);
    for (const { file } of variants) expect(existsSync(`bench/variants/${file}.ts`), file).toBe(true);
  });

  it("have at least seven rounds, but for what takes minutes or only waits", () => {
    const fewer = workloads.filter(({ rounds }) => rounds < 7).map(({ name }) => name);
    expect(fewer).toEqual(["idle", "memory-deep", "memory-slow"]);
  });
});

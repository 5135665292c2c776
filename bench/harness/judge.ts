import type { Claim } from "../claims.js";
import { figuresOf, type Results } from "./results.js";
import { ratios, spread, type Spread } from "./statistics.js";

/** What became of a claim; without a figure it was not measured. */
export interface Judgement {
  readonly claim: Claim;
  readonly figure: Spread | undefined;
  readonly verdict: "reached" | "not reached" | "not measured";
}

export function judge(claim: Claim, { workloads }: Pick<Results, "workloads">): Judgement {
  const workload = workloads.find((each) => each.workload === claim.workload);
  if (!workload) return { claim, figure: undefined, verdict: "not measured" };
  const values = figuresOf(workload, claim.variant, claim.metric);
  const figure = spread(claim.against === undefined ? values.values() : ratios(values, figuresOf(workload, claim.against, claim.metric)));
  if (!figure) return { claim, figure, verdict: "not measured" };
  const reached = figure.median >= (claim.atLeast ?? -Infinity) && figure.median <= (claim.atMost ?? Infinity);
  return { claim, figure, verdict: reached ? "reached" : "not reached" };
}

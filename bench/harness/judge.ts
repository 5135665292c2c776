import type { Claim } from "../claims.js";
import { figuresOf, type Results } from "./results.js";
import { ratios, spread, type Spread } from "./statistics.js";

/** What became of a claim; without a figure it was not measured. */
export interface Judgement {
  readonly claim: Claim;
  readonly figure: Spread | undefined;
  readonly verdict: "reached" | "not reached" | "not measured";
  /** Whether the run had the size that the claim is about; a verdict on a smaller one is a hint. */
  readonly full: boolean;
}

export function judge(claim: Claim, { workloads }: Pick<Results, "workloads">): Judgement {
  const workload = workloads.find((each) => each.workload === claim.workload);
  if (!workload) return { claim, figure: undefined, verdict: "not measured", full: false };
  const { full } = workload;
  const values = figuresOf(workload, claim.variant, claim.metric);
  const figure = spread(claim.against === undefined ? values.values() : ratios(values, figuresOf(workload, claim.against, claim.metric)));
  if (!figure) return { claim, figure, verdict: "not measured", full };
  const reached = figure.median >= (claim.atLeast ?? -Infinity) && figure.median <= (claim.atMost ?? Infinity);
  return { claim, figure, verdict: reached ? "reached" : "not reached", full };
}

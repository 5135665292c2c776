import type { Figures } from "../variants/child/stopwatch.js";
import type { Machine } from "./machine.js";

/** One process that ran to its end. */
export interface Run {
  readonly variant: string;
  readonly round: number;
  readonly figures: Figures;
}

export interface WorkloadResults {
  readonly workload: string;
  /** The day of the run, and the commit that was measured. */
  readonly day: string;
  readonly commit: string;
  /** Entries of a run, or of the largest; 0 where time counts. */
  readonly entries: number;
  readonly warmUp: number;
  readonly rounds: number;
  /** Whether it had the entries and the rounds that figures are stated for. */
  readonly full: boolean;
  /** Load average before the first round, and after the last. */
  readonly load: readonly [number, number];
  readonly runs: readonly Run[];
}

/** All that a run of the benchmarks found out; tables, charts and claims are made of it. */
export interface Results {
  readonly short: boolean;
  readonly machine: Machine;
  readonly workloads: readonly WorkloadResults[];
}

/** The figure of each round in which the variant ran. */
export function figuresOf({ runs }: WorkloadResults, variant: string, metric: string): ReadonlyMap<number, number> {
  const own = runs.filter((run) => run.variant === variant && run.figures[metric] !== undefined);
  return new Map(own.map((run) => [run.round, run.figures[metric]!]));
}

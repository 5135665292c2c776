import type { Job } from "../variants/child/job.js";

/** A package that is installed for the benchmarks alone. */
export type Peer = "redis" | "bullmq" | "iovalkey";

/** One program, run with one job. */
export interface Variant {
  readonly name: string;
  /** Its file in `bench/variants`, without the ending. */
  readonly file: string;
  /** Left out, and named, where this package is not installed. */
  readonly peer?: Peer;
  /** What its job has that those of the other variants don't. */
  readonly job?: Partial<Job>;
  /** Slow ones do this part of the entries; rates and costs are per entry. @defaultValue `1` */
  readonly share?: number;
  /** How many streams the entries are spread over. @defaultValue `1` */
  readonly streamCount?: number;
  /** What Redis must show after the run; else it has failed. @defaultValue what the workload says */
  readonly check?: Check;
  /** Ours, in the charts. */
  readonly ours?: boolean;
}

/** `drained`: nothing is pending and the group has read all entries; `added`: the stream has them. */
export type Check = "drained" | "added" | "nothing";

/** A figure that variants report. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
}

/** Variants that do the same with the same entries, run in turns. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** The figure that is compared and drawn comes first. */
  readonly metrics: readonly [Metric, ...Metric[]];
  /** The variant that the others are compared with. */
  readonly base: string;
  /** Whether streams hold the entries before a run. */
  readonly filled: boolean;
  readonly check: Check;
  readonly rounds: number;
  /** What is asked of all variants; `warmUp` is part of `entries`, unless it comes on top. */
  readonly job: Partial<Job>;
  readonly warmUpOnTop?: boolean;
  /** What changes where a run is to take seconds. */
  readonly short: Partial<Job>;
  readonly variants: readonly Variant[];
}

export const speed: readonly [Metric, ...Metric[]] = [
  { key: "perSecond", label: "entries/s", digits: 0 },
  { key: "cpuUs", label: "client CPU µs/entry", digits: 2 },
  { key: "serverCpuUs", label: "server CPU µs/entry", digits: 2 },
];

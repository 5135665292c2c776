import type { Job } from "../variants/child/job.js";
import type { Variant, Workload } from "./workload.js";

/** What the command line changes for all runs. */
export interface Sizes {
  readonly short: boolean;
  /** Entries of a run, in place of what the workload says; a third of them warms up. */
  readonly entries: number | undefined;
}

/** The job of a variant but for where it finds its data. */
export type Task = Omit<Job, "url" | "streams" | "group">;

const common: Task = {
  entries: 0,
  warmUp: 0,
  payloadBytes: 120,
  client: "ioredis",
  source: {},
  buffer: {},
  consumers: 1,
  reads: "nothing",
  heapSamples: 0,
  rate: 0,
  seconds: 0,
};

export function toTask({ job, short, warmUpOnTop = false }: Workload, variant: Variant, sizes: Sizes): Task {
  const asked: Task = { ...common, ...job, ...(sizes.short ? short : {}), ...variant.job };
  const all = asked.entries === 0 ? 0 : (sizes.entries ?? asked.entries);
  const warmUp = sizes.entries === undefined ? asked.warmUp : Math.floor(all / 3);
  const { share = 1, streamCount = 1 } = variant;
  const entries = wholePages(all * share + (warmUpOnTop ? warmUp : 0), streamCount);
  return { ...asked, entries, warmUp: warmUpOnTop ? warmUp : Math.floor(warmUp * share) };
}

/** The same number for each stream, and for reads of five. */
function wholePages(entries: number, streamCount: number): number {
  return Math.ceil(entries / streamCount / 5) * 5 * streamCount;
}

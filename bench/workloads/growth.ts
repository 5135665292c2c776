import { speed, type Metric, type Variant, type Workload } from "../harness/workload.js";
import type { Job } from "../variants/child/job.js";

const tuned = { source: { maxInFlight: 4000 }, buffer: { maxSize: 1000 } };
const [perSecond, cpu, serverCpu] = speed as readonly [Metric, Metric, Metric];
const warmUp = 100_000;

const base = {
  metrics: [cpu, perSecond, serverCpu],
  filled: true,
  check: "drained",
  warmUpOnTop: true,
  rounds: 7,
} as const satisfies Partial<Workload>;

const sync = (name: string, more: Pick<Variant, "share" | "streamCount">, job: Partial<Job> = {}): Variant => ({
  name,
  file: "drain/sync",
  job: { ...tuned, ...job },
  ours: true,
  ...more,
});

/** How the cost of an entry grows with what there is of everything. The same number of entries warms up each of them. */
export const growths: readonly Workload[] = [
  {
    ...base,
    name: "growth-entries",
    title: "Cost of an entry, by the depth of the backlog",
    base: "1e5 entries",
    job: { entries: 10_000_000, warmUp },
    short: { entries: 10_000, warmUp: 1_000 },
    variants: [1e4, 1e5, 1e6, 1e7].map((entries) => sync(`1e${Math.log10(entries)} entries`, { share: entries / 1e7 })),
  },
  {
    ...base,
    name: "growth-streams",
    title: "Cost of an entry, by streams in one source",
    base: "1 stream",
    job: { entries: 300_000, warmUp },
    short: { entries: 6_400, warmUp: 1_000 },
    variants: [1, 4, 16, 64].map((streamCount) => sync(`${streamCount} ${streamCount === 1 ? "stream" : "streams"}`, { streamCount })),
  },
  {
    ...base,
    name: "growth-consumers",
    title: "Cost of an entry, by consumers of the group in one process",
    base: "1 consumer",
    job: { entries: 300_000, warmUp },
    short: { entries: 6_400, warmUp: 1_000 },
    variants: [1, 2, 8, 32].map((consumers) => sync(`${consumers} ${consumers === 1 ? "consumer" : "consumers"}`, {}, { consumers })),
  },
];

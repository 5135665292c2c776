import { speed, type Variant, type Workload } from "../harness/workload.js";

/** The settings that the figures are stated for: the same batches as the loops have. */
const tuned = { source: { maxInFlight: 4000 }, buffer: { maxSize: 1000 } };
/** The README acknowledges 500 at a time. */
const asInReadme = { source: tuned.source, buffer: { maxSize: 500 } };
const portable = { ...tuned, source: { ...tuned.source, reader: "portable" } };

const peers: readonly Variant[] = [
  { name: "loop, ioredis 6", file: "drain/loop" },
  { name: "loop, ioredis 5", file: "drain/loop", job: { client: "ioredis5" } },
  { name: "loop, iovalkey", file: "drain/loop", peer: "iovalkey", job: { client: "iovalkey" } },
  { name: "node-redis", file: "drain/node-redis", peer: "redis" },
  { name: "one Redis core", file: "drain/core" },
];

const ours: readonly Variant[] = [
  { name: "bare", file: "drain/bare", job: tuned },
  { name: "sync handler", file: "drain/sync", job: tuned },
  { name: "async handler", file: "drain/async", job: tuned },
];

const settings: readonly Variant[] = [
  { name: "bare, defaults", file: "drain/bare" },
  { name: "sync handler, defaults", file: "drain/sync" },
  { name: "async handler, defaults", file: "drain/async" },
  { name: "sync handler, ioredis 5", file: "drain/sync", job: { ...tuned, client: "ioredis5" } },
  { name: "sync handler, portable", file: "drain/sync", job: portable },
  { name: "sync handler, portable, ioredis 5", file: "drain/sync", job: { ...portable, client: "ioredis5" } },
  { name: "sync handler, reads fields", file: "drain/sync", job: { ...tuned, reads: "all fields" } },
];

const others: readonly Variant[] = [
  { name: "loop, reads fields", file: "drain/loop", job: { reads: "all fields" } },
  { name: "tutorial loop", file: "drain/tutorial", share: 0.1 },
  { name: "BullMQ, concurrency 100", file: "drain/bullmq", peer: "bullmq", share: 0.1, check: "nothing" },
];

const marked = (variants: readonly Variant[]): Variant[] => variants.map((variant) => ({ ...variant, ours: true }));

const base = {
  metrics: speed,
  base: "loop, ioredis 6",
  filled: true,
  check: "drained",
  rounds: 7,
  short: { entries: 6_000, warmUp: 2_000 },
} as const;

export const drains: readonly Workload[] = [
  {
    ...base,
    name: "drain-120",
    title: "Drain a backlog, entries of 120 bytes",
    job: { entries: 300_000, warmUp: 100_000, payloadBytes: 120 },
    variants: [...peers, ...others, ...marked([...ours, ...settings])],
  },
  {
    ...base,
    name: "drain-1024",
    title: "Drain a backlog, entries of 1 KiB",
    job: { entries: 300_000, warmUp: 100_000, payloadBytes: 1024 },
    variants: [...peers, ...marked(ours)],
  },
  {
    ...base,
    name: "pipeline",
    title: "The README's pipeline: zod, dedupe, lanes, retries",
    base: "by hand",
    job: { entries: 300_000, warmUp: 100_000 },
    variants: [
      { name: "by hand", file: "pipeline/by-hand" },
      { name: "README pipeline", file: "pipeline/readme", job: asInReadme, ours: true },
      { name: "README pipeline, defaults", file: "pipeline/readme", ours: true },
    ],
  },
  {
    ...base,
    name: "hand-off",
    title: "Hand each entry on to another stream",
    base: "by hand, at least once",
    job: { entries: 300_000, warmUp: 100_000 },
    variants: [
      { name: "by hand, at least once", file: "pipeline/hand-off-by-hand" },
      { name: "handOff, exactly once", file: "pipeline/hand-off", job: tuned, ours: true },
    ],
  },
];

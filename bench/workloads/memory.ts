import type { Workload } from "../harness/workload.js";

const base = {
  metrics: [
    { key: "heapMB", label: "largest heap, MB", digits: 1 },
    { key: "heapGrowthMB", label: "growth, MB", digits: 1 },
    { key: "perSecond", label: "entries/s", digits: 0 },
  ],
  filled: true,
  check: "drained",
  short: { entries: 40_000, warmUp: 10_000 },
} as const;

export const memories: readonly Workload[] = [
  {
    ...base,
    name: "memory-deep",
    title: "Heap while a deep backlog is drained",
    base: "loop, ioredis 6",
    rounds: 3,
    job: { entries: 10_000_000, warmUp: 1_000_000, heapSamples: 20 },
    variants: [
      { name: "loop, ioredis 6", file: "drain/loop", share: 0.1 },
      { name: "sync handler", file: "drain/sync", job: { source: { maxInFlight: 4000 }, buffer: { maxSize: 1000 } }, ours: true },
    ],
  },
  {
    ...base,
    name: "memory-slow",
    title: "Heap with handlers of a millisecond, a hundred at a time",
    base: "mergeMap behind a loop",
    rounds: 3,
    job: { entries: 300_000, warmUp: 10_000, heapSamples: 20 },
    variants: [
      { name: "mergeMap behind a loop", file: "memory/no-credit", share: 0.5 },
      { name: "fromGroup", file: "memory/with-credit", ours: true },
    ],
  },
];

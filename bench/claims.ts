/** A figure that the package has to reach, checked by each run that measures it. */
export interface Claim {
  readonly what: string;
  readonly workload: string;
  readonly variant: string;
  readonly metric: string;
  /** The variant of the same workload that it is a ratio to; without one it is the figure itself. */
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const loop = "loop, ioredis 6";
const drains = (what: string, variant: string, against: string, atLeast: number): Claim => ({
  what,
  workload: "drain-120",
  variant,
  metric: "perSecond",
  against,
  atLeast,
});
const latency = (rate: number, metric: string, atMost: number): Claim => ({
  what: `${metric === "p50Us" ? "p50" : "p99"} latency at ${rate}/s`,
  workload: `latency-${rate}`,
  variant: "sync handler",
  metric,
  against: "blocked reader",
  atMost,
});
const grows = (workload: string, variant: string, against: string): Claim => ({
  what: `CPU per entry, ${variant}`,
  workload,
  variant,
  metric: "cpuUs",
  against,
  atMost: 1.1,
});

/** With settings that nobody touched, this part of the other figures. */
const defaults = 0.85;

export const claims: readonly Claim[] = [
  drains("`fromGroup → bufferAck → acknowledge`", "bare", loop, 2.5),
  drains("with `retryToDLQ` and a sync handler", "sync handler", loop, 2.4),
  drains("with `retryToDLQ` and an async handler, concurrency 500", "async handler", loop, 2.2),
  {
    what: "the full README pipeline against a hand-written loop that does the same steps",
    workload: "pipeline",
    variant: "README pipeline",
    metric: "perSecond",
    against: "by hand",
    atLeast: 1.5,
  },
  drains('`reader: "portable"`, sync handler', "sync handler, portable", loop, 1.15),
  drains('`reader: "portable"` on ioredis 5, sync handler', "sync handler, portable, ioredis 5", "loop, ioredis 5", 1.25),
  {
    what: "`appendTo` against `pipeline()` of 500",
    workload: "produce",
    variant: "appendTo",
    metric: "perSecond",
    against: "pipeline of 500",
    atLeast: 1.5,
  },
  drains("of what one Redis core can deliver", "bare", "one Redis core", 0.55),
  drains("bare, default settings", "bare, defaults", loop, defaults * 2.5),
  drains("sync handler, default settings", "sync handler, defaults", loop, defaults * 2.4),
  drains("async handler, default settings", "async handler, defaults", loop, defaults * 2.2),
  {
    what: "the full README pipeline, default settings",
    workload: "pipeline",
    variant: "README pipeline, defaults",
    metric: "perSecond",
    against: "by hand",
    atLeast: defaults * 1.5,
  },
  ...[1_000, 10_000].flatMap((rate) => [latency(rate, "p50Us", 1.1), latency(rate, "p99Us", 1.25)]),
  {
    what: "commands per second and consumer while idle",
    workload: "idle",
    variant: "sync handler",
    metric: "commandsPerSecond",
    atMost: 3,
  },
  {
    what: "growth of the heap over 10 million entries, MB",
    workload: "memory-deep",
    variant: "sync handler",
    metric: "heapGrowthMB",
    atMost: 10,
  },
  grows("growth-entries", "1e6 entries", "1e5 entries"),
  grows("growth-entries", "1e7 entries", "1e5 entries"),
];

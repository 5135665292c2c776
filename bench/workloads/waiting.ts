import type { Metric, Workload } from "../harness/workload.js";

const times: readonly [Metric, ...Metric[]] = [
  { key: "p50Us", label: "p50 µs", digits: 0 },
  { key: "p99Us", label: "p99 µs", digits: 0 },
  { key: "cpuUs", label: "client CPU µs/entry", digits: 1 },
];

const latencyAt = (rate: number): Workload => ({
  name: `latency-${rate}`,
  title: `From XADD to the handler, ${rate} entries per second`,
  metrics: times,
  base: "blocked reader",
  filled: false,
  check: "nothing",
  rounds: 7,
  job: { rate, seconds: 9 },
  short: { seconds: 1 },
  variants: [
    { name: "blocked reader", file: "latency/blocked-reader" },
    { name: "sync handler", file: "latency/ours", ours: true },
  ],
});

const idle: Workload = {
  name: "idle",
  title: "While nothing happens",
  metrics: [
    { key: "commandsPerSecond", label: "commands/s", digits: 2 },
    { key: "executedPerSecond", label: "with those in scripts", digits: 2 },
    { key: "cpuMsPerSecond", label: "client CPU ms/s", digits: 2 },
  ],
  base: "blocked reader",
  filled: false,
  check: "nothing",
  rounds: 3,
  job: { seconds: 15 },
  short: { seconds: 1 },
  variants: [
    { name: "blocked reader", file: "idle/blocked-reader" },
    { name: "BullMQ worker", file: "idle/bullmq", peer: "bullmq" },
    { name: "sync handler", file: "idle/ours", ours: true },
  ],
};

export const waiting: readonly Workload[] = [latencyAt(1_000), latencyAt(10_000), idle];

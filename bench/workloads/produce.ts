import { speed, type Workload } from "../harness/workload.js";

export const produce: Workload = {
  name: "produce",
  title: "Add entries of 120 bytes",
  metrics: speed,
  base: "pipeline of 500",
  filled: false,
  check: "added",
  rounds: 7,
  job: { entries: 300_000, warmUp: 100_000 },
  short: { entries: 6_000, warmUp: 2_000 },
  variants: [
    { name: "pipeline of 500", file: "produce/pipeline" },
    { name: "pipeline of 500, ioredis 5", file: "produce/pipeline", job: { client: "ioredis5" } },
    { name: "one by one", file: "produce/one-by-one", share: 0.1 },
    { name: "Promise.all of 500", file: "produce/promise-all" },
    { name: "node-redis, 500 at a time", file: "produce/node-redis", peer: "redis" },
    { name: "BullMQ, addBulk of 500", file: "produce/bullmq", peer: "bullmq", share: 0.1, check: "nothing" },
    { name: "one Redis core", file: "produce/core" },
    { name: "appendTo", file: "produce/append-to", ours: true },
    { name: "appendAll", file: "produce/append-all", ours: true },
  ],
};

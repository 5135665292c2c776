/**
 * One consumer of the group, in a process of its own: `worker.ts <name> <stream>`.
 * It drains on SIGTERM, and also when the process that started it is gone.
 */
import { Redis } from "ioredis";
import { acknowledge, bufferAck, decode, drainOn, exponential, fromGroup, json, retryToDLQ, type SourceStatus } from "rxjs-redis-streams";
import { Event } from "./events.js";
import { handler } from "./handle.js";
import { group, url } from "./scene.js";

const [name = "", stream = ""] = process.argv.slice(2);
const redis = new Redis(url);

const orphaned = new AbortController();
process.once("disconnect", () => orphaned.abort());

const report = (status: SourceStatus): void => {
  if (process.connected) process.send?.(status);
};

fromGroup(redis, {
  stream,
  group,
  startId: "0",
  consumer: name,
  maxInFlight: 100,
  leaseMs: 1_500,
  signal: AbortSignal.any([drainOn("SIGTERM"), orphaned.signal]),
  drainTimeoutMs: 5_000,
  status: { next: report },
})
  .pipe(
    decode(json("payload", Event)),
    retryToDLQ(handler(redis, stream, name), { maxDeliveries: 3, backoff: exponential({ baseMs: 100, maxMs: 1_000 }), concurrency: 25 }),
    bufferAck({ maxSize: 100, maxWaitMs: 20 }),
    acknowledge(redis),
  )
  .subscribe({
    error: (error: unknown) => {
      console.error(name, error);
      process.exit(1);
    },
    complete: () => {
      redis.disconnect();
      if (process.connected) process.disconnect();
    },
  });

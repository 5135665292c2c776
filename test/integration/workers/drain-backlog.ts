/**
 * Drains a backlog with a handler of 2 ms and says how the heap grew after the first tenth, and how much was pending at most.
 * argv: url stream group; run with --expose-gc
 */
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = ""] = process.argv.slice(2);
const entries = 300_000;
const redis = new Redis(url);
const stop = new AbortController();
let handled = 0;
let mostPending = 0;
let warm = 0;
let growth = 0;

function measure(): void {
  globalThis.gc?.();
  const used = process.memoryUsage().heapUsed;
  if (warm === 0) warm = used;
  growth = Math.max(growth, used - warm);
}

async function watchPending(): Promise<void> {
  while (!stop.signal.aborted) {
    const [count] = (await redis.xpending(stream, group).catch(() => [0])) as [number];
    mostPending = Math.max(mostPending, count);
    await delay(20);
  }
}

fromGroup(redis, { stream, group, startId: "0", maxInFlight: 1_000, signal: stop.signal })
  .pipe(
    retryToDLQ(() => delay(2), { maxDeliveries: 3, concurrency: 500 }),
    bufferAck(),
    acknowledge(redis),
  )
  .subscribe({
    next: ({ acked }) => {
      const before = handled;
      handled += acked;
      if (Math.floor(before / 30_000) !== Math.floor(handled / 30_000)) measure();
      if (handled >= entries) stop.abort();
    },
    complete: () => {
      process.send?.({ handled, growth, mostPending });
      redis.disconnect();
      process.disconnect();
    },
  });
void watchPending();

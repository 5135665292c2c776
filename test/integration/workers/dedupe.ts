/**
 * Handles each key once, and notes it in the list `<stream>:handled`; with the key `hangs` it does not come to the ack. A process to kill.
 * argv: url stream group hangs
 */
import { acknowledge, dedupe, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", hangs] = process.argv.slice(2);
const redis = new Redis(url);
let settled = 0;

fromGroup(redis, { stream, group, startId: "0", leaseMs: 1_000 })
  .pipe(
    dedupe(redis, { key: ({ n = "" }) => n, ttlMs: 60_000, claimMs: 1_000, waitMs: 100 }),
    retryToDLQ(
      async ({ n = "" }) => {
        await redis.rpush(`${stream}:handled`, n);
        if (n === hangs) await new Promise(() => undefined);
      },
      { maxDeliveries: 5 },
    ),
    acknowledge(redis),
  )
  .subscribe(({ acked, duplicates }) => process.send?.({ settled: (settled += acked + duplicates) }));

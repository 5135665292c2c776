/**
 * Handles entries by key in order, one after the other; each try fails with one chance in three. What succeeds is noted in a list.
 * argv: url stream group consumer
 */
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fixed, fromGroup, partitionBy, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", consumer = ""] = process.argv.slice(2);
const redis = new Redis(url);

fromGroup(redis, { stream, group, consumer, startId: "0", maxInFlight: 64 })
  .pipe(
    partitionBy(
      ({ key = "" }) => key,
      { lanes: 4, whileRetrying: "wait" },
      (lane$) =>
        lane$.pipe(
          retryToDLQ(
            async ({ n = "" }) => {
              await delay(Math.random() * 3);
              if (Math.random() < 1 / 3) throw new Error("busy");
              await redis.rpush(`${stream}:done`, n);
            },
            { maxDeliveries: 1_000, backoff: fixed(40), concurrency: 8 },
          ),
        ),
    ),
    bufferAck({ maxSize: 10, maxWaitMs: 5 }),
    acknowledge(redis),
  )
  .subscribe();

/**
 * A reader without a group that handles entries out of order, says which, and gets stuck on every hundredth: the process to kill.
 * argv: url stream checkpoint
 */
import { acknowledge, bufferAck, fromStream, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", checkpoint = ""] = process.argv.slice(2);
const redis = new Redis(url);
let handled = 0;

fromStream(redis, { stream, from: { checkpoint, startId: "0", everyMs: 10 }, maxInFlight: 50 })
  .pipe(
    retryToDLQ(
      async ({ n }) => {
        if (Number(n) % 100 === 99) return new Promise<void>(() => undefined);
        await redis.rpush(`${stream}:handled`, String(n));
        return undefined;
      },
      { maxDeliveries: 5, concurrency: 20 },
    ),
    bufferAck({ maxSize: 5, maxWaitMs: 5 }),
    acknowledge(redis),
  )
  .subscribe(({ acked }) => process.send?.({ handled: (handled += acked) }));

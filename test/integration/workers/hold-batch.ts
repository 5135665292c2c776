/**
 * A consumer that takes a batch, handles half of it, says so, and hangs: the process to kill.
 * argv: url stream group consumer leaseMs
 */
import { acknowledge, bufferAck, fromGroup, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", consumer = "", leaseMs = ""] = process.argv.slice(2);
const redis = new Redis(url);
let handled = 0;

fromGroup(redis, { stream, group, consumer, startId: "0", maxInFlight: 200, leaseMs: Number(leaseMs) })
  .pipe(
    retryToDLQ(
      async ({ n }) => {
        if ((handled += 1) > 100) {
          process.send?.({ handled });
          return new Promise<void>(() => undefined);
        }
        await redis.sadd(`${stream}:handled`, String(n));
        return undefined;
      },
      { maxDeliveries: 5, concurrency: 150 },
    ),
    bufferAck({ maxSize: 10, maxWaitMs: 10 }),
    acknowledge(redis),
  )
  .subscribe(() => process.send?.({ handled }));

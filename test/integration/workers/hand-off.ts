/**
 * Hands entries on to `{stream}:out` and counts them in `{stream}:count`; every tenth fails the first time. A process to kill.
 * argv: url stream group consumer ("": a made-up one)
 */
import { setTimeout as delay } from "node:timers/promises";
import { bufferAck, fixed, fromGroup, handOff, retryToDLQ } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", consumer] = process.argv.slice(2);
const redis = new Redis(url, { lazyConnect: true });

fromGroup(redis, { stream, group, consumer: consumer === "" ? undefined : consumer, startId: "0", maxInFlight: 100, leaseMs: 1_000 })
  .pipe(
    retryToDLQ(
      async ({ n = "" }, { deliveryCount }) => {
        await delay(Math.random() * 4);
        if (deliveryCount === 1 && Number(n) % 10 === 0) throw new Error("the first time");
        return n;
      },
      { maxDeliveries: 1_000, backoff: fixed(5), concurrency: 4 },
    ),
    bufferAck({ maxSize: 20, maxWaitMs: 5 }),
    handOff(redis, {
      to: `{${stream}}:out`,
      fields: (n) => ({ n }),
      effects: () => [{ _tag: "CounterIncrement", key: `{${stream}}:count` }],
    }),
  )
  .subscribe(({ outputs }) => process.send?.({ outputs }));

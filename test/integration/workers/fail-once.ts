/** Fails what it is given the first time, to be retried after so many ms, and tells when it was given what: `<url> <stream> <group> <ms>`. */
import { Redis } from "ioredis";
import { acknowledge, bufferAck, fixed, fromGroup, retryToDLQ } from "rxjs-redis-streams";

const [url = "", stream = "", group = "", delayMs = ""] = process.argv.slice(2);
const redis = new Redis(url);
fromGroup(redis, { stream, group, startId: "0" })
  .pipe(
    retryToDLQ(
      (_, { id, deliveryCount }) => {
        process.send?.({ id, at: Date.now(), deliveryCount });
        if (deliveryCount === 1) throw new Error("once");
      },
      { maxDeliveries: 5, backoff: fixed(Number(delayMs)) },
    ),
    bufferAck({ maxWaitMs: 1 }),
    acknowledge(redis),
  )
  .subscribe();

/**
 * A consumer whose handlers never end; it tells how many it holds, and how many leases it has lost.
 * argv: url stream group leaseMs
 */
import { acknowledge, fromGroup, retryToDLQ, type SourceStatus } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", leaseMs = ""] = process.argv.slice(2);
const redis = new Redis(url);
const told = { held: 0, lost: 0 };
const next = (status: SourceStatus): void => {
  if (status._tag !== "leaseLost") return;
  told.lost += status.ids.length;
  process.send?.(told);
};
const hold = (): Promise<never> => {
  told.held += 1;
  process.send?.(told);
  return new Promise(() => undefined);
};

fromGroup(redis, { stream, group, startId: "0", leaseMs: Number(leaseMs), status: { next } })
  .pipe(retryToDLQ(hold, { maxDeliveries: 5, concurrency: 100 }), acknowledge(redis))
  .subscribe();

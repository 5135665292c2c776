/**
 * Adds the events `0` to `<count> - 1` with a key each, from the first one, as a producer does that has been restarted and does not know how
 * far it came. argv: url stream count
 */
import { appendTo } from "rxjs-redis-streams";
import { concatMap, range, timer } from "rxjs";
import { Redis } from "ioredis";

const [url = "", stream = "", count = ""] = process.argv.slice(2);
const redis = new Redis(url);
redis.on("error", () => undefined);
let confirmed = 0;

range(0, Number(count))
  .pipe(
    concatMap((n) => (n % 100 === 99 ? timer(1).pipe(concatMap(() => [{ n }])) : [{ n }])), // a batch at a time
    appendTo(redis, { stream, maxBatch: 50, idempotencyKey: ({ n }) => `event-${n}` }),
  )
  .subscribe({ next: () => process.send?.({ confirmed: (confirmed += 1) }), complete: () => process.send?.({ isDone: true }) });

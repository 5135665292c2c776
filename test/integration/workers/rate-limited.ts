/**
 * A consumer of a group whose limit all its consumers share; it tells how many it has acknowledged, also when it begins to read.
 * argv: url stream group limit perMs
 */
import { acknowledge, fromGroup, rateLimit, type SourceStatus } from "rxjs-redis-streams";
import { Redis } from "ioredis";

const [url = "", stream = "", group = "", limit = "", perMs = ""] = process.argv.slice(2);
const redis = new Redis(url);
let done = 0;

const status = { next: ({ _tag }: SourceStatus) => _tag === "reading" && process.send?.({ acked: done }) };

fromGroup(redis, { stream, group, startId: "0", maxInFlight: 20, status })
  .pipe(rateLimit(redis, { limit: Number(limit), perMs: Number(perMs), scope: "group" }), acknowledge(redis))
  .subscribe(({ acked }) => process.send?.({ acked: (done += acked) }));

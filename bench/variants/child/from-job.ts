import { fromGroup, type Delivery, type Fields } from "rxjs-redis-streams";
import type { Observable } from "rxjs";
import type { Redis } from "ioredis";
import { job } from "./job.js";

/** The source that the job describes. `job.source` may hold options that an older version of the package does not know yet. */
export function source(redis: Redis): Observable<Delivery<Fields>> {
  const stream = job.streams.length === 1 ? job.streams[0] : job.streams;
  return fromGroup(redis, { stream, group: job.group, startId: "0", ...job.source });
}

/** Adds the events, a batch at a time, and answers which ids Redis gave them. */
import type { Redis } from "ioredis";
import { concatMap, lastValueFrom, map, range, scan, takeWhile, timer, zip } from "rxjs";
import { payload } from "./events.js";

const batchSize = 50;
const everyMs = 30;

/** Stops early, with what it has added by then, when `signal` is aborted. */
export function produce(redis: Redis, stream: string, total: number, signal: AbortSignal): Promise<readonly string[]> {
  const batches = zip(range(0, total / batchSize), timer(0, everyMs)).pipe(
    takeWhile(() => !signal.aborted),
    map(([batch]) => Array.from({ length: batchSize }, (_, index) => payload(batch * batchSize + index))),
    concatMap((payloads) => Promise.all(payloads.map((text) => redis.xadd(stream, "*", "payload", text)))),
  );
  const ids = batches.pipe(scan((all, added) => [...all, ...added.map(String)], [] as readonly string[]));
  return lastValueFrom(ids, { defaultValue: [] });
}

/** Adds the events, a batch at a time, and answers which ids Redis gave them. */
import type { Redis } from "ioredis";
import { concatMap, from, lastValueFrom, map, scan, take, takeUntil, timer } from "rxjs";
import { payload } from "./events.js";

const batchSize = 50;
const everyMs = 30;

/** Stops early when `stopped` resolves; a batch that is under way is added and counted. */
export function produce(redis: Redis, stream: string, total: number, stopped: Promise<unknown>): Promise<readonly string[]> {
  const ticks = timer(0, everyMs).pipe(take(total / batchSize), takeUntil(from(stopped)));
  const batches = ticks.pipe(
    map((batch) => Array.from({ length: batchSize }, (_, index) => payload(batch * batchSize + index))),
    concatMap((payloads) => Promise.all(payloads.map((text) => redis.xadd(stream, "*", "payload", text)))),
  );
  const ids = batches.pipe(scan((all, added) => [...all, ...added.map(String)], [] as readonly string[]));
  return lastValueFrom(ids, { defaultValue: [] });
}

/**
 * Learn: a whole event system. One producer, three consumers of a group in processes of their own, entries that can't be decoded,
 * that fail once or always, and a consumer that is killed half-way; nothing is lost.
 *
 * Run: `npm start`, or with a server at REDIS_URL `npx tsx examples/01-order-stream.ts`. Takes about six seconds.
 * Prints: how it goes, then a table read back from Redis: 2000 added, 1940 handled, 60 dead-lettered with their reasons, 0 pending.
 *
 * Exit code 0 if every entry is accounted for, else 1. Ctrl-C or SIGTERM: the producer stops, the workers finish what they have
 * in flight, and the table says what is left; the code follows the same rule (npm, at a terminal, then tells of the Ctrl-C itself).
 * Each run uses keys of its own and removes them at the end.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { filter, firstValueFrom, merge, take, timer } from "rxjs";
import { account } from "./order-stream/account.js";
import { pendingIds, readBooks } from "./order-stream/books.js";
import { startCrew } from "./order-stream/crew.js";
import { produce } from "./order-stream/producer.js";
import { say, watchProgress, type Progress } from "./order-stream/progress.js";
import { table } from "./order-stream/report.js";
import { group, keysOf, total, url, workers } from "./order-stream/scene.js";

/** An entry that is still open after this is reported instead of waited for. */
const patienceMs = 14_000;

async function main(): Promise<number> {
  const stream = `order-events-${randomUUID().slice(0, 8)}`;
  const redis = new Redis(url);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort()); // at a terminal it may come twice
  await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM"); // a worker would make it, too; here progress and report rely on it
  console.log(`${total} events on "${stream}", handled by ${workers.join(", ")}`);
  const crew = startCrew(stream, say);
  const progress = watchProgress(redis, stream);
  const shown = progress.subscribe({ error: () => stop.abort() });
  const stopped = new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  const reach = (isThere: (progress: Progress) => boolean): Promise<unknown> =>
    firstValueFrom(merge(progress.pipe(filter(isThere)), stopped, timer(patienceMs)).pipe(take(1)), { defaultValue: undefined });

  try {
    const produced = produce(redis, stream, total, stopped);
    await reach(({ handled }) => handled >= total / 2);
    let leftBehind: readonly string[] = [];
    if (!stop.signal.aborted) {
      await crew.kill("worker-2");
      leftBehind = await pendingIds(redis, stream, "worker-2");
      say(`worker-2 was killed with SIGKILL and leaves ${leftBehind.length} entries behind`);
    }
    const added = await produced;
    await reach(({ handled, deadLettered, pending }) => handled + deadLettered >= added.length && pending === 0);
    const interrupted = stop.signal.aborted;
    if (interrupted) say("Interrupted: the workers finish what they have in flight");
    await crew.drain();
    shown.unsubscribe();
    const books = await readBooks(redis, stream, { added, leftBehind });
    const result = account(books, { interrupted });
    console.log(table(result, books.shares));
    return result.balanced ? 0 : 1;
  } finally {
    shown.unsubscribe();
    await crew.drain();
    await redis.unlink(...Object.values(keysOf(stream)));
    redis.disconnect();
  }
}

process.exitCode = await main();

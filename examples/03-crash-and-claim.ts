/**
 * Learn: what a consumer had in flight when it died is taken over by another as soon as the lease has run out.
 *
 * Run: `npx tsx examples/03-crash-and-claim.ts`, with a Redis at REDIS_URL or on port 6379.
 */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { from, fromEvent, ignoreElements, lastValueFrom, mergeMap, NEVER, take, takeUntil, tap, type Observable } from "rxjs";
import { acknowledge, fromGroup, type Delivery, type Fields } from "rxjs-redis-streams";

const group = "shipping";
const leaseMs = 500; // short, so that the example is; the default is 30 seconds
const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");

const consume = (stream: string, consumer: string, signal?: AbortSignal): Observable<Delivery<Fields>> =>
  fromGroup(redis, { stream, group, startId: "0", consumer, leaseMs, signal });

/** The process that dies: it takes entries and is never through with them. */
function sufferer(stream: string): void {
  process.once("disconnect", () => process.exit()); // it does not outlive the example
  consume(stream, "worker-1")
    .pipe(
      tap(() => process.send?.("got one")),
      mergeMap(() => NEVER),
    )
    .subscribe({ error: console.error });
}

async function main(): Promise<void> {
  const stream = `example-03-${randomUUID()}`;
  try {
    for (const item of ["book", "lamp", "chair"]) await redis.xadd(stream, "*", "item", item);
    const child = fork(fileURLToPath(import.meta.url), [stream]);
    const ended = once(child, "exit");
    await lastValueFrom(fromEvent(child, "message").pipe(take(3), takeUntil(from(ended))), { defaultValue: undefined });
    child.kill("SIGKILL");
    await ended;
    const [pending] = await redis.xpending(stream, group);
    console.log(`worker-1 is dead, ${String(pending)} entries are pending for it`);

    const enough = new AbortController();
    let seen = 0;
    const receipts = consume(stream, "worker-2", enough.signal).pipe(
      tap(({ value, deliveryCount }) => {
        console.log(`worker-2 got the ${value["item"] ?? "?"}, delivery ${deliveryCount}`);
        if ((seen += 1) === 3) enough.abort();
      }),
      acknowledge(redis),
    );
    await lastValueFrom(receipts.pipe(ignoreElements()), { defaultValue: undefined });
    console.log(`${String((await redis.xpending(stream, group))[0])} pending`);
  } finally {
    await redis.unlink(stream, `{${stream}}:retry:${group}`);
    redis.disconnect();
  }
}

if (process.argv[2] === undefined) await main();
else sufferer(process.argv[2]);

// Prints:
//   worker-1 is dead, 3 entries are pending for it
//   worker-2 got the book, delivery 2
//   worker-2 got the lamp, delivery 2
//   worker-2 got the chair, delivery 2
//   0 pending

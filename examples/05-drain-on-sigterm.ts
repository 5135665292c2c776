/**
 * Learn: on SIGTERM a source stops reading, finishes what is in flight, and completes; the rest is left to other consumers.
 *
 * Run: `npx tsx examples/05-drain-on-sigterm.ts`, with a Redis at REDIS_URL or on port 6379. It sends SIGTERM to itself.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as work } from "node:timers/promises";
import { Redis } from "ioredis";
import { lastValueFrom, reduce } from "rxjs";
import { acknowledge, drainOn, fromGroup, retryToDLQ, type Delivery, type Fields, type SourceStatus } from "rxjs-redis-streams";

const group = "shipping";

function report(status: SourceStatus): void {
  if (status._tag === "draining") console.log(`draining, ${status.unsettled} in flight`);
  if (status._tag === "stopped") console.log(`${status.reason}, ${status.released} released`);
}

async function ship(fields: Fields, { id }: Delivery<Fields>): Promise<void> {
  const item = fields["item"] ?? id;
  console.log(`shipping a ${item}`);
  if (item === "lamp") process.kill(process.pid, "SIGTERM"); // in production an orchestrator does this
  await work(100);
  console.log(`shipped the ${item}`);
}

async function main(): Promise<void> {
  const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");
  const stream = `example-05-${randomUUID()}`;
  try {
    for (const item of ["book", "lamp", "chair", "table", "clock"]) await redis.xadd(stream, "*", "item", item);

    const signal = drainOn("SIGTERM", "SIGINT");
    const receipts = fromGroup(redis, { stream, group, startId: "0", maxInFlight: 2, signal, status: { next: report } }).pipe(
      retryToDLQ(ship, { maxDeliveries: 5 }),
      acknowledge(redis),
    );
    const acked = await lastValueFrom(receipts.pipe(reduce((total, receipt) => total + receipt.acked, 0)), { defaultValue: 0 });
    const [pending] = await redis.xpending(stream, group);
    console.log(`${acked} acknowledged, ${String(pending)} pending, the other ${(await redis.xlen(stream)) - acked} not read`);
  } finally {
    await redis.unlink(stream, `{${stream}}:dlq:${group}`, `{${stream}}:retry:${group}`);
    redis.disconnect();
  }
}

await main();

// Prints:
//   shipping a book
//   shipping a lamp
//   draining, 2 in flight
//   shipped the book
//   shipped the lamp
//   drained, 0 released
//   2 acknowledged, 0 pending, the other 3 not read

/**
 * Learn: read a stream as a consumer of a group, acknowledge what is done, and stop when there is no more to do.
 *
 * Run: `npx tsx examples/02-consume-and-ack.ts`, with a Redis at REDIS_URL or on port 6379.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { lastValueFrom, reduce, tap } from "rxjs";
import { acknowledge, bufferAck, fromGroup } from "rxjs-redis-streams";

async function main(): Promise<void> {
  const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");
  const stream = `example-02-${randomUUID()}`;
  try {
    for (const item of ["book", "lamp", "chair"]) await redis.xadd(stream, "*", "item", item);

    const enough = new AbortController();
    let seen = 0;
    const receipts = fromGroup(redis, { stream, group: "shipping", startId: "0", signal: enough.signal }).pipe(
      tap(({ value, deliveryCount }) => {
        console.log(`shipping a ${value["item"] ?? "?"}, delivery ${deliveryCount}`);
        if ((seen += 1) === 3) enough.abort(); // read no more; what is in flight is still acknowledged
      }),
      bufferAck({ maxSize: 100, maxWaitMs: 20 }),
      acknowledge(redis),
    );
    // completes when the last delivery is settled
    const acked = await lastValueFrom(receipts.pipe(reduce((total, receipt) => total + receipt.acked, 0)), { defaultValue: 0 });
    const [pending] = await redis.xpending(stream, "shipping");
    console.log(`${acked} acknowledged, ${String(pending)} pending, ${await redis.xlen(stream)} still in the stream`);
  } finally {
    await redis.unlink(stream);
    redis.disconnect();
  }
}

await main();

// Prints:
//   shipping a book, delivery 1
//   shipping a lamp, delivery 1
//   shipping a chair, delivery 1
//   3 acknowledged, 0 pending, 3 still in the stream

/**
 * Learn: a failed entry waits in Redis and comes back; one that fails too often, or can't be read at all, becomes a dead letter
 * that keeps its reason and its content.
 *
 * Run: `npx tsx examples/04-retry-and-dead-letter.ts`, with a Redis at REDIS_URL or on port 6379.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { ignoreElements, lastValueFrom, tap, toArray } from "rxjs";
import { acknowledge, decode, fixed, fromDeadLetters, fromGroup, json, retryToDLQ } from "rxjs-redis-streams";
import { z } from "zod";

const Payment = z.object({ from: z.string(), failures: z.number() });
const group = "payments";

/** Fails as often as the payment says. */
function pay({ from, failures }: z.infer<typeof Payment>, { deliveryCount }: { readonly deliveryCount: number }): void {
  const fails = deliveryCount <= failures;
  console.log(`delivery ${deliveryCount} for ${from}: ${fails ? "the bank is busy" : "paid"}`);
  if (fails) throw new Error(`the bank of ${from} is busy`);
}

async function main(): Promise<void> {
  const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");
  const stream = `example-04-${randomUUID()}`;
  try {
    await redis.xadd(stream, "*", "payload", JSON.stringify({ from: "alice", failures: 1 }));
    await redis.xadd(stream, "*", "payload", JSON.stringify({ from: "bob", failures: 9 }));
    await redis.xadd(stream, "*", "payload", JSON.stringify({ from: "carol" }));

    const enough = new AbortController();
    let settled = 0;
    const receipts = fromGroup(redis, { stream, group, startId: "0", signal: enough.signal }).pipe(
      decode(json("payload", Payment)),
      retryToDLQ(pay, { maxDeliveries: 3, backoff: fixed(50), concurrency: 1 }),
      acknowledge(redis),
      tap(({ acked, deadLettered }) => {
        if ((settled += acked + deadLettered) === 3) enough.abort();
      }),
    );
    await lastValueFrom(receipts.pipe(ignoreElements()), { defaultValue: undefined });

    const letters = fromDeadLetters(redis, { stream, group }).pipe(toArray());
    for (const { cause, deliveryCount, fields } of await lastValueFrom(letters, { defaultValue: [] }))
      console.log(`dead after ${deliveryCount}: ${cause.message} | ${fields["payload"] ?? ""}`);
  } finally {
    await redis.unlink(stream, `{${stream}}:dlq:${group}`, `{${stream}}:retry:${group}`);
    redis.disconnect();
  }
}

await main();

// Prints:
//   delivery 1 for alice: the bank is busy
//   delivery 1 for bob: the bank is busy
//   delivery 2 for alice: paid
//   delivery 2 for bob: the bank is busy
//   delivery 3 for bob: the bank is busy
//   dead after 1: failures: Invalid input: expected number, received undefined | {"from":"carol"}
//   dead after 3: the bank of bob is busy | {"from":"bob","failures":9}

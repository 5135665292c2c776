/**
 * Drains small entries, then small ones with large ones among them, then small ones again, within 8 MB, and says how much was
 * unsettled and held at most, and what came twice or not at all. argv: url stream group payload; run with --expose-gc
 */
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, fromGroup, retryToDLQ, type BinaryFields, type Fields } from "rxjs-redis-streams";
import { Redis } from "../../support/ioredis.js";

const [url = "", stream = "", group = "", payload = ""] = process.argv.slice(2);
const limit = 8_000_000;
const redis = new Redis(url);
const sizes = new Map<string, number>();
const handled = new Map<string, number>();
const stop = new AbortController();
const finding = { mostBytes: 0, mostPending: 0, lastPending: 0, growth: 0, damaged: 0 };

/** One in forty, and a stretch of nothing else. */
const isLarge = (n: number): boolean => (n >= 1_000 && n < 4_000 && n % 40 === 0) || (n >= 2_000 && n < 2_050);

async function produce(): Promise<void> {
  for (let n = 0; n < 9_000; n += 1) {
    const body = Buffer.alloc(isLarge(n) ? 1_000_000 : 100, n % 128);
    const added = redis.xadd(stream, "*", "n", n, "body", body);
    if (n % 100 === 0 || isLarge(n)) await added;
    void added.then((id) => sizes.set(id!, String(n).length + 5 + body.length));
  }
  await redis.ping();
}

/** What Redis has on the group's list is what is unsettled here. */
async function watchPending(): Promise<void> {
  for (; !stop.signal.aborted; await delay(5)) {
    const rows = (await redis.xpending(stream, group, "-", "+", 2_000).catch(() => [])) as [id: string][];
    const bytes = rows.reduce((sum, [id]) => sum + (sizes.get(id) ?? 0), 0);
    finding.mostBytes = Math.max(finding.mostBytes, bytes);
    finding.mostPending = Math.max(finding.mostPending, rows.length);
    if (handled.size > 6_000) finding.lastPending = Math.max(finding.lastPending, rows.length);
  }
}

let warm: number | undefined;
async function watchMemory(): Promise<void> {
  for (; !stop.signal.aborted; await delay(100)) {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    warm ??= heapUsed + arrayBuffers;
    finding.growth = Math.max(finding.growth, heapUsed + arrayBuffers - warm);
  }
}

async function handle({ n, body }: Fields | BinaryFields, { id }: { readonly id: string }): Promise<void> {
  handled.set(id, (handled.get(id) ?? 0) + 1);
  const number = Number(n!.toString());
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body!;
  if (payload === "buffer" && !bytes.equals(Buffer.alloc(isLarge(number) ? 1_000_000 : 100, number % 128))) finding.damaged += 1;
  await delay(100);
}

await produce();
const options = { stream, group, startId: "0", maxInFlight: 1_000, maxInFlightBytes: limit, signal: stop.signal };
const flow = [retryToDLQ(handle, { maxDeliveries: 3, concurrency: 1_000 }), bufferAck(), acknowledge(redis)] as const;
const receipts$ = payload === "buffer" ? fromGroup(redis, { ...options, payload }).pipe(...flow) : fromGroup(redis, options).pipe(...flow);
const began = Date.now();
receipts$.subscribe({
  next: () => {
    if (handled.size === sizes.size && !stop.signal.aborted) setTimeout(() => stop.abort(), 100);
  },
  complete: () => {
    const twice = [...handled.values()].filter((times) => times > 1).length;
    process.send?.({ ...finding, entries: sizes.size, handled: handled.size, twice, tookMs: Date.now() - began });
    redis.disconnect();
    process.disconnect();
  },
});
void watchPending();
void watchMemory();

/**
 * The steps of the README's pipeline in a loop written by hand, as fast as we could make it without Lua: 1000 entries per read, the next
 * read in flight; a page is parsed with zod; its keys are claimed in one pipeline (SET NX) while the page before is handled; 32 lanes by
 * customer, one entry at a time in each; failures are counted and set aside; marks of what is done and one XACK go in one transaction,
 * not awaited. It takes over nothing from dead consumers, and renews no lease: those are the parts that are hard by hand.
 */
import type { Redis } from "ioredis";
import { connect, type Reply } from "../child/client.js";
import { job } from "../child/job.js";
import { OrderSchema, ship, type CheckedOrder } from "../child/order-schema.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

interface Item {
  readonly id: string;
  readonly fields: readonly string[];
  readonly order: CheckedOrder;
  readonly mark: string;
}
interface Failure extends Pick<Item, "id" | "fields"> {
  readonly cause: unknown;
}
/** A page with its claims made: what to handle, and what is to be acknowledged without being handled. */
interface Prepared {
  readonly fresh: readonly Item[];
  readonly acks: string[];
}

const {
  streams: [stream],
  group,
} = job;
const consumer = "worker-1";
const lanes = 32;
const doneMs = 86_400_000;
const claimMs = 30_000;
const watch = new Stopwatch(job);
void watch.done.then(report);
const reader = await connect();
const writer = await connect();

let prepared = read().then(prepare);
while (!watch.over) {
  const page = await prepared;
  prepared = read().then(prepare); // read and claimed while this page is handled
  await handlePage(writer, page);
}

function read(): Promise<Reply> {
  return reader.xreadgroup("GROUP", group, consumer, "COUNT", 1000, "BLOCK", 5000, "STREAMS", stream, ">") as Promise<Reply>;
}

/** Parses a page; what is no order becomes a dead letter. Then claims the keys. */
async function prepare(reply: Reply): Promise<Prepared> {
  const items: Item[] = [];
  for (const [id, fields] of reply?.[0]?.[1] ?? []) {
    const record: Record<string, string> = {};
    for (let at = 0; at < fields.length; at += 2) record[fields[at]!] = fields[at + 1]!;
    const parsed = OrderSchema.safeParse(record);
    if (parsed.success) items.push({ id, fields, order: parsed.data, mark: `{${stream}}:done:${parsed.data.orderId}` });
    else await deadLetter({ id, fields, cause: parsed.error });
  }
  return claim(items);
}

/** A key that is free is ours now. One that is done is acknowledged; one that somebody holds stays pending and comes back later. */
async function claim(items: readonly Item[]): Promise<Prepared> {
  const claims = writer.pipeline();
  for (const { id, mark } of items) claims.set(mark, id, "PX", claimMs, "NX");
  const claimed = (await claims.exec())!;
  const fresh = items.filter((_, index) => claimed[index]![1] === "OK");
  if (fresh.length === items.length) return { fresh, acks: [] };
  const taken = items.filter((_, index) => claimed[index]![1] !== "OK");
  const holders = await writer.mget(taken.map(({ mark }) => mark));
  return { fresh, acks: taken.filter((_, index) => holders[index] === "done").map(({ id }) => id) };
}

async function handlePage(redis: Redis, { fresh, acks }: Prepared): Promise<void> {
  const lane: Item[][] = Array.from({ length: lanes }, () => []);
  for (const item of fresh) lane[laneOf(item.order.customer)]!.push(item);
  const done: Item[] = [];
  await Promise.all(lane.map((items) => handleLane(items, done)));
  if (done.length + acks.length === 0) return;
  const settle = redis.multi();
  for (const { mark } of done) settle.set(mark, "done", "PX", doneMs);
  settle.xack(stream, group, ...acks, ...done.map(({ id }) => id));
  void settle.exec().then((replies) => watch.confirmed(Number(replies!.at(-1)![1])));
}

async function handleLane(items: readonly Item[], done: Item[]): Promise<void> {
  for (const item of items) {
    try {
      await ship(item.order);
      done.push(item);
    } catch (cause) {
      await retryOrGiveUp({ ...item, cause });
    }
  }
}

/** Counts a failure. After five it is a dead letter, before that it is due again later, for whoever looks through the schedule. */
async function retryOrGiveUp(failure: Failure): Promise<void> {
  const failures = await writer.hincrby(`{${stream}}:failures`, failure.id, 1);
  if (failures >= 5) return deadLetter(failure);
  await writer.zadd(`{${stream}}:retries`, Date.now() + Math.min(60_000, 200 * 2 ** failures), failure.id);
}

async function deadLetter({ id, fields, cause }: Failure): Promise<void> {
  await writer
    .multi()
    .xadd(`{${stream}}:dlq`, "*", "id", id, "cause", String(cause), ...fields)
    .xack(stream, group, id)
    .exec();
}

/** FNV-1a: the same lane for the same customer. */
function laneOf(customer: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < customer.length; at += 1) hash = Math.imul(hash ^ customer.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % lanes;
}

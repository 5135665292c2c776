/** Reads back from Redis what has become of every entry. */
import type { Redis } from "ioredis";
import { lastValueFrom, toArray } from "rxjs";
import { fromDeadLetters, type DeadLetter } from "rxjs-redis-streams";
import { group, keysOf } from "./scene.js";

/** What Redis knows about a run. */
export interface Books {
  /** The ids the producer was given. */
  readonly added: readonly string[];
  /** How many entries the stream has: XLEN. */
  readonly inStream: number;
  /** How often the handler came to the end, by entry id. */
  readonly handled: ReadonlyMap<string, number>;
  /** How many handlers each worker brought to the end. */
  readonly shares: ReadonlyMap<string, number>;
  /** Whose handler failed at least once. */
  readonly failed: ReadonlySet<string>;
  /** Which entries a killed worker left behind. */
  readonly leftBehind: readonly string[];
  readonly deadLetters: readonly Pick<DeadLetter, "origin" | "cause">[];
  readonly pending: readonly string[];
  /** Never given to the group. */
  readonly unread: readonly string[];
}

export async function readBooks(redis: Redis, stream: string, known: Pick<Books, "added" | "leftBehind">): Promise<Books> {
  const keys = keysOf(stream);
  const asked = [redis.xlen(stream), redis.hgetall(keys.handled), redis.hgetall(keys.shares), redis.hkeys(keys.failed)] as const;
  const [inStream, handled, shares, failed] = await Promise.all(asked);
  return {
    ...known,
    inStream,
    handled: toCounts(handled),
    shares: toCounts(shares),
    failed: new Set(failed),
    deadLetters: await lastValueFrom(fromDeadLetters(redis, { stream, group, pageSize: 1_000 }).pipe(toArray()), { defaultValue: [] }),
    pending: await pendingIds(redis, stream),
    unread: await unreadIds(redis, stream),
  };
}

const toCounts = (hash: Readonly<Record<string, string>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(hash).map(([name, count]) => [name, Number(count)]));

/** The pending entries of the group, or of one consumer. */
export async function pendingIds(redis: Redis, stream: string, ...consumer: [] | [string]): Promise<readonly string[]> {
  const rows = (await redis.call("XPENDING", stream, group, "-", "+", 10_000, ...consumer)) as [id: string][];
  return rows.map(([id]) => id);
}

async function unreadIds(redis: Redis, stream: string): Promise<readonly string[]> {
  const [info = []] = (await redis.call("XINFO", "GROUPS", stream)) as string[][];
  const last = info[info.indexOf("last-delivered-id") + 1] ?? "0-0";
  return (await redis.xrange(stream, `(${last}`, "+")).map(([id]) => id);
}

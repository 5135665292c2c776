import { deepStrictEqual } from "node:assert";
import { concatAll } from "fp-ts/lib/Monoid.js";
import { Redis } from "ioredis";
import { map, mergeMap, tap } from "rxjs";
import { z } from "zod";
import {
  acknowledge,
  BackoffMonoid,
  bufferAck,
  capDelay,
  deadLetterKey,
  retryKey,
  decode,
  delayAfter,
  drainOn,
  EntryIdOrd,
  entryTime,
  exponential,
  fixed,
  fromDeadLetters,
  fromGroup,
  isEntryId,
  isStreamsError,
  json,
  limit,
  retryToDLQ,
  settle,
  toEntryId,
} from "rxjs-redis-streams";
const redis = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");
const source = fromGroup(new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379"), { stream: "docs", group: "docs", startId: "0" });
const Order = z.object({ orderId: z.string(), amount: z.coerce.number(), url: z.string() });
const ship = (order: unknown): Promise<unknown> => Promise.resolve(order);
const charge = (amount: number): Promise<number> => Promise.resolve(amount);
const check = (actual: unknown, expected: unknown): void => deepStrictEqual(actual, expected);

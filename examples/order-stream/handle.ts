/** What a worker does with an event, and what it writes down about it in Redis: a process that is killed can't take it back. */
import { setTimeout as work } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Delivery } from "rxjs-redis-streams";
import type { Event } from "./events.js";
import { keysOf } from "./scene.js";

/** How long each kind of event takes: a mail, a payment, a line of statistics. */
const workMs = { user_signup: 60, purchase: 40, page_view: 25 } as const;

export function handler(redis: Redis, stream: string, worker: string): (event: Event, delivery: Delivery<Event>) => Promise<void> {
  const { handled, failed, shares } = keysOf(stream);

  const fail = async (id: string, reason: string): Promise<never> => {
    await redis.hsetnx(failed, id, reason);
    throw new Error(reason);
  };

  return async (event, { id }) => {
    await work(workMs[event.type]);
    if (event.type === "purchase" && event.card === "stolen") await fail(id, "the card is stolen");
    if (event.type === "purchase" && event.card === "busy" && !(await redis.hexists(failed, id))) await fail(id, "the bank is busy");
    await redis.multi().hincrby(handled, id, 1).hincrby(shares, worker, 1).exec();
  };
}

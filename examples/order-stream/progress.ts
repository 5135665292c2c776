/** How far the run is, asked from Redis a few times a second, and shown as a bar or, without a terminal, as a few lines. */
import type { Redis } from "ioredis";
import { exhaustMap, share, tap, timer, type Observable } from "rxjs";
import { group, keysOf, total } from "./scene.js";

export interface Progress {
  readonly added: number;
  readonly handled: number;
  readonly deadLettered: number;
  readonly pending: number;
}

const everyMs = 150;
const isTerminal = process.stdout.isTTY;

export function watchProgress(redis: Redis, stream: string): Observable<Progress> {
  const { handled, deadLetters } = keysOf(stream);
  const look = async (): Promise<Progress> => {
    const counts = [redis.xlen(stream), redis.hlen(handled), redis.xlen(deadLetters)] as const;
    const [[pending], [added, done, dead]] = await Promise.all([pendingOf(redis, stream), Promise.all(counts)]);
    return { added, handled: done, deadLettered: dead, pending };
  };
  return timer(0, everyMs).pipe(exhaustMap(look), tap(showProgress()), share());
}

/** Nothing is pending before the first worker has made the group. */
const pendingOf = (redis: Redis, stream: string): Promise<[number]> =>
  redis.xpending(stream, group).then(
    ([count]) => [Number(count)],
    () => [0],
  );

/** Prints a line without breaking the bar. */
export function say(line: string): void {
  console.log(`${isTerminal ? "\r\x1b[K" : ""}  ${line}`);
}

function showProgress(): (progress: Progress) => void {
  const begun = performance.now();
  let quarter = 0;
  return ({ added, handled, deadLettered, pending }) => {
    const part = (handled + deadLettered) / total;
    const rate = Math.round((handled * 1_000) / Math.max(1, performance.now() - begun));
    const line = `${handled} of ${added} handled, ${rate}/s, ${pending} pending, ${deadLettered} dead letters`;
    if (isTerminal) process.stdout.write(`\r\x1b[K${"█".repeat(part * 30).padEnd(30, "░")} ${line}`);
    else if (Math.floor(part * 4) > quarter) say(`${(quarter = Math.floor(part * 4)) * 25} %: ${line}`);
  };
}

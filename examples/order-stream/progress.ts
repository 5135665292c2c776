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
    const asked = [redis.xlen(stream), redis.hlen(handled), redis.xlen(deadLetters), redis.xpending(stream, group)] as const;
    const [added, done, dead, [pending]] = await Promise.all(asked);
    return { added, handled: done, deadLettered: dead, pending: Number(pending) };
  };
  return timer(0, everyMs).pipe(exhaustMap(look), tap(showProgress()), share());
}

/** Prints a line without breaking the bar. */
export function say(line: string): void {
  console.log(`${isTerminal ? "\r\x1b[K" : ""}  ${line}`);
}

function showProgress(): (progress: Progress) => void {
  let begun = performance.now();
  let quarter = 0;
  return ({ added, handled, deadLettered, pending }) => {
    if (handled === 0) begun = performance.now(); // the workers are starting
    const part = (handled + deadLettered) / total;
    const rate = Math.round((handled * 1_000) / Math.max(1, performance.now() - begun));
    const line = `${handled} of ${added} handled, ${rate}/s, ${pending} pending, ${deadLettered} dead letters`;
    if (isTerminal) process.stdout.write(`\r\x1b[K${"█".repeat(part * 30).padEnd(30, "░")} ${line}`);
    else if (Math.floor(part * 4) > quarter) say(`${(quarter = Math.floor(part * 4)) * 25} %: ${line}`);
  };
}

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, expect, inject } from "vitest";
import type { Observable, Subscription } from "rxjs";
import type { Receipt, SourceProgress, SourceStatus } from "rxjs-redis-streams";
import { Redis } from "./ioredis.js";
import { until } from "./until.js";

/** A client of the run's server, and names that no other test uses. What a test opens here is closed after it. */
export interface Workbench {
  readonly redis: Redis;
  /** A stream of this test's own. */
  readonly stream: string;
  readonly group: string;
  /** Adds entries `{ n: "0" }`, `{ n: "1" }` …; their ids. */
  readonly add: (count: number, fields?: (n: number) => Record<string, string>) => Promise<string[]>;
  /** How many entries are pending in the group. */
  readonly pending: () => Promise<number>;
  /** Rows of XPENDING: id, consumer, idle ms, delivery count. */
  readonly pendingRows: (count?: number) => Promise<[id: string, consumer: string, idleMs: number, deliveries: number][]>;
  readonly deadLetters: () => Promise<[id: string, pairs: string[]][]>;
  /** Subscribes until the test is over; an error of the pipeline fails the test. */
  readonly run: <A>(pipeline: Observable<A>) => Running<A>;
}

export interface Running<A> {
  readonly values: readonly A[];
  readonly subscription: Subscription;
  readonly isDone: boolean;
  readonly error: unknown;
}

/** What a source reported, and a way to wait for it. */
export class StatusLog {
  /** But for the signs of life. */
  readonly seen: SourceStatus[] = [];
  readonly progress: SourceProgress[] = [];
  next = (status: SourceStatus): void => {
    if (status._tag === "progress") this.progress.push(status);
    else this.seen.push(status);
  };
  tags(): string[] {
    return this.seen.map(({ _tag }) => _tag);
  }
  of<T extends SourceStatus["_tag"]>(tag: T): Extract<SourceStatus, { _tag: T }>[] {
    return this.seen.filter((status): status is Extract<SourceStatus, { _tag: T }> => status._tag === tag);
  }
}

const closers: (() => unknown)[] = [];

/** Registers something to be undone after the test, last first. */
export function afterwards(undo: () => unknown): void {
  closers.push(undo);
}

afterEach(async () => {
  for (const undo of closers.splice(0).reverse()) await undo();
});

/** @param url - another server than the run's */
export function workbench(url: string = inject("redisUrl")): Workbench {
  const redis = new Redis(url);
  redis.on("error", () => undefined); // faults are what some tests are about
  const stream = `test:${randomUUID()}`;
  const group = "group";
  afterwards(async () => {
    if (redis.status === "ready")
      await redis.del(stream, `{${stream}}:order:${group}`, ...helperKeys(stream, group)).catch(() => undefined);
    redis.disconnect();
  });
  return {
    redis,
    stream,
    group,
    async add(count, fields = (n) => ({ n: String(n) })) {
      const ids: string[] = [];
      for (let from = 0; from < count; from += 1_000) {
        const pipeline = redis.pipeline();
        for (let n = from; n < Math.min(count, from + 1_000); n += 1) pipeline.xadd(stream, "*", ...Object.entries(fields(n)).flat());
        ids.push(...((await pipeline.exec()) ?? []).map(([, id]) => String(id)));
      }
      return ids;
    },
    pending: async () => Number((await redis.xpending(stream, group))[0]),
    pendingRows: async (count = 100) => (await redis.xpending(stream, group, "-", "+", count)) as [string, string, number, number][],
    deadLetters: () => redis.xrange(helperKeys(stream, group)[0], "-", "+"),
    run: (pipeline) => run(pipeline),
  };
}

export const helperKeys = (stream: string, group: string): [deadLetters: string, retries: string] => [
  `{${stream}}:dlq:${group}`,
  `{${stream}}:retry:${group}`,
];

/** Subscribes until the test is over. */
export function run<A>(pipeline: Observable<A>): Running<A> {
  const state = { values: [] as A[], isDone: false, error: undefined as unknown };
  const subscription = pipeline.subscribe({
    next: (value) => state.values.push(value),
    error: (error: unknown) => {
      state.error = error;
      state.isDone = true;
    },
    complete: () => (state.isDone = true),
  });
  afterwards(() => subscription.unsubscribe());
  return Object.defineProperty(state, "subscription", { value: subscription }) as unknown as Running<A>;
}

/** The sum of receipts, by name of the count. */
export function total(receipts: readonly Receipt[], count: Exclude<keyof Receipt, "stream" | "group">): number {
  return receipts.reduce((sum, receipt) => sum + receipt[count], 0);
}

/**
 * The commands that clients send from now on with this key in them, scripts' own commands left out; it fills as they come. On a
 * bare socket: ioredis' own monitor trips when the first commands arrive in one chunk with its OK.
 */
export async function recordCommands(redis: Redis, key: string): Promise<string[][]> {
  const commands: string[][] = [];
  const socket = connect(redis.options.port!, redis.options.host);
  afterwards(() => socket.destroy());
  const lines = createInterface({ input: socket });
  lines.on("line", (line) => {
    const [, source = "", words = ""] = /^\+[\d.]+ \[\d+ ([^\]]+)\] (.*)$/.exec(line) ?? [];
    if (source === "" || source === "lua" || !words.includes(key)) return;
    const [name = "", ...args] = [...words.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) => word);
    commands.push([name.toLowerCase(), ...args]);
  });
  socket.write("MONITOR\r\n");
  await once(lines, "line");
  return commands;
}

/** Connections of the library that the server still has. */
export async function ourConnections(redis: Redis): Promise<string[]> {
  const list = String(await redis.call("client", "list"));
  return list.split("\n").filter((line) => line.includes("name=rxjs-redis-streams"));
}

/** The leak check: every connection that a pipeline made is closed. One that was being made shows up for a moment when it is given up. */
export async function expectNoConnections(redis: Redis): Promise<void> {
  let seen: readonly string[] = [];
  await until(async () => (seen = await ourConnections(redis)).length === 0, "all connections of the library are closed").catch(
    (error: unknown) => {
      expect(seen).toEqual([]);
      throw error;
    },
  );
}

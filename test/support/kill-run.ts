import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ChildProcess } from "node:child_process";
import { Redis } from "./ioredis.js";
import type { SpawnedServer } from "./redis-server/spawn-server.js";
import { until } from "./until.js";
import { afterwards } from "./workbench.js";
import { messageFrom, startWorker } from "./worker.js";

export interface KillRun {
  readonly entries: number;
  readonly kills: number;
  /** Whether the server is killed, too, half-way. */
  readonly restart: boolean;
}

/** What is left of a run, by what Redis holds. */
export interface KillResult {
  /** The number of each entry handed on, sorted. */
  readonly outputs: readonly number[];
  readonly count: number;
  readonly pending: number;
  readonly deadLetters: number;
}

const stream = "chaos";
const group = "group";
const out = `{${stream}}:out`;
const workersAtATime = 3;

/** A process under way, and when it hands on. */
interface Worker {
  readonly child: ChildProcess;
  readonly works: Promise<unknown>;
}

/**
 * Entries come in as many rounds as there are kills; in each, one of three workers is killed with SIGKILL while it works, and a
 * new one is started. Ends when everything is handed on and nothing is pending.
 */
export async function killRun(server: SpawnedServer, { entries, kills, restart }: KillRun): Promise<KillResult> {
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on("error", () => undefined);
  afterwards(() => redis.disconnect());
  const workers = Array.from({ length: workersAtATime }, (_, index) => start(server.url, index));
  const perRound = Math.ceil(entries / kills);
  for (let round = 0; round < kills; round += 1) {
    const first = round * perRound;
    const last = Math.min(entries, first + perRound);
    await add(redis, first, last);
    const index = round % workersAtATime;
    await Promise.all([workers[index]!.works, until(async () => (await redis.xlen(out)) >= first, "the last round is through", patiently)]);
    if (restart && round === Math.floor(kills / 2)) await server.restart();
    await delay(Math.random() * 40); // anywhere in a batch
    workers[index]!.child.kill("SIGKILL");
    await once(workers[index]!.child, "exit");
    workers[index] = start(server.url, index);
  }
  await until(async () => (await redis.xlen(out)) >= entries && (await pending(redis)) === 0, "everything is handed on", patiently);
  for (const { child } of workers) child.kill("SIGKILL");
  const outputs = (await redis.xrange(out, "-", "+")).map(([, pairs]) => Number(pairs[1])).sort((one, other) => one - other);
  return {
    outputs,
    count: Number(await redis.get(`{${stream}}:count`)),
    pending: await pending(redis),
    deadLetters: await redis.xlen(`{${stream}}:dlq:${group}`),
  };
}

const patiently = { timeoutMs: 120_000, everyMs: 10 };

/** The first has a name of its own and takes up what it left; the others are recovered when their lease has run out. */
function start(url: string, index: number): Worker {
  const child = startWorker("hand-off.ts", url, stream, group, index === 0 ? "stable" : "");
  const works = messageFrom<{ outputs: number }>(child, ({ outputs }) => outputs > 0);
  works.catch(() => undefined); // killed before it did anything, at the end
  return { child, works };
}

async function add(redis: Redis, first: number, last: number): Promise<void> {
  const pipeline = redis.pipeline();
  for (let n = first; n < last; n += 1) pipeline.xadd(stream, `${n + 1}-0`, "n", n);
  await pipeline.exec();
}

async function pending(redis: Redis): Promise<number> {
  const [count] = await redis.xpending(stream, group).catch(() => [0]);
  return count as number;
}

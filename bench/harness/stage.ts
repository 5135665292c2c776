import { Redis } from "ioredis";
import type { SpawnedServer } from "../../test/support/redis-server/spawn-server.js";
import { encode } from "../variants/child/encode.js";
import type { Job } from "../variants/child/job.js";
import { flat, idOf, toOrder } from "../variants/child/payload.js";
import { rawConnection } from "../variants/child/raw-connection.js";
import type { Task } from "./to-job.js";
import type { Check, Variant, Workload } from "./workload.js";

const group = "bench";
const models = 1; // the database that keeps filled streams to copy from; runs have database 0, which is emptied before each

/** The server's side of a run: fills it before, asks it afterwards. */
export class Stage {
  readonly #server: SpawnedServer;
  readonly #redis: Redis;
  readonly #models: Redis;

  constructor(server: SpawnedServer) {
    this.#server = server;
    this.#redis = new Redis(server.url);
    this.#models = new Redis(server.url, { db: models });
  }

  /** An empty database, or one with streams that hold the same entries for each variant, and a group that has read none. */
  async set(task: Task, { filled }: Workload, { streamCount = 1 }: Variant): Promise<Job> {
    await this.#redis.flushdb("SYNC");
    const streams = Array.from({ length: streamCount }, (_, index) => `bench:${index}`) as [string, ...string[]];
    if (filled) {
      const model = await this.#model(task.entries / streamCount, task.payloadBytes);
      for (const stream of streams) {
        await this.#models.call("COPY", model, stream, "DB", 0);
        await this.#redis.xgroup("CREATE", stream, group, "0");
      }
    }
    return { ...task, url: this.#server.url, streams, group };
  }

  /** Microseconds of CPU that the server has used so far. */
  async cpuUs(): Promise<number> {
    const info = await this.#redis.info("cpu");
    const seconds = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)![1]);
    return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6;
  }

  /** @throws Error when Redis does not show what the variant says that it has done */
  async check({ streams, entries }: Job, check: Check): Promise<void> {
    if (check === "nothing") return;
    const done = check === "added" ? await this.#redis.xlen(streams[0]) : await this.#drained(streams);
    if (done !== entries) throw new Error(`Expected ${entries} entries to be ${check}, Redis says ${done}`);
  }

  async #drained(streams: readonly string[]): Promise<number> {
    const replies = (await Promise.all(streams.map((stream) => this.#redis.xinfo("GROUPS", stream)))) as unknown[][][];
    const sum = (name: string): number => replies.reduce((total, [reply]) => total + Number(reply![reply!.indexOf(name) + 1]), 0);
    return sum("entries-read") - sum("pending");
  }

  /** A stream to copy from, made when it is asked for the first time. */
  async #model(entries: number, payloadBytes: number): Promise<string> {
    const name = `model:${payloadBytes}:${entries}`;
    if ((await this.#models.exists(name)) === 0) await fill(this.#server.url, name, entries, payloadBytes);
    return name;
  }

  async end(): Promise<void> {
    this.#redis.disconnect();
    this.#models.disconnect();
    await this.#server.stop();
  }
}

async function fill(url: string, stream: string, entries: number, payloadBytes: number): Promise<void> {
  const connection = await rawConnection(url);
  await connection.send(encode("SELECT", String(models)));
  for (let from = 0; from < entries; from += 10_000) {
    let commands = "";
    for (let index = from; index < Math.min(entries, from + 10_000); index += 1) {
      commands += encode("XADD", stream, idOf(index), ...flat(toOrder(index, payloadBytes)));
    }
    await connection.send(commands);
  }
  connection.end();
}

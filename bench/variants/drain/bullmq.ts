/** BullMQ, a queue of jobs on lists: another design, which many compare with. A hundred jobs at a time, finished jobs are removed. */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { handle } from "../child/handlers.js";
import { job } from "../child/job.js";
import { toOrder, type Order } from "../child/payload.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const { entries, payloadBytes, streams } = job;
const name = streams[0].replaceAll(":", "-");
const options = { connection: new Redis(job.url, { maxRetriesPerRequest: null }) };
const queue = new Queue<Order>(name, { ...options, defaultJobOptions: { removeOnComplete: true } });

for (let from = 0; from < entries; from += 1000) {
  const size = Math.min(1000, entries - from);
  await queue.addBulk(Array.from({ length: size }, (_, index) => ({ name: "order", data: toOrder(from + index, payloadBytes) })));
}

const watch = new Stopwatch(job);
const work = ({ data }: { readonly data: Order }): Promise<void> => {
  handle(data);
  return Promise.resolve();
};
const worker = new Worker<Order>(name, work, { ...options, concurrency: 100 });
worker.on("completed", () => watch.confirmed(1)); // told when Redis has confirmed
report(await watch.done);

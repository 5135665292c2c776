/** BullMQ: `addBulk` of 500 jobs, awaited. */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { job } from "../child/job.js";
import { orders, pagesOf } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const queue = new Queue(job.streams[0].replaceAll(":", "-"), { connection: new Redis(job.url, { maxRetriesPerRequest: null }) });
const watch = new Stopwatch(job);
for (const page of pagesOf(orders, 500)) {
  await queue.addBulk(page.map((order) => ({ name: "order", data: order })));
  watch.confirmed(page.length);
}
report(await watch.done);

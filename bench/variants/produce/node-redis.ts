/** node-redis, which sends what is called in one turn together: 500 XADDs at a time, awaited together. */
import { createClient } from "redis";
import { job } from "../child/job.js";
import { orders, pagesOf } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const client = await createClient({ url: job.url }).connect();
const watch = new Stopwatch(job);
for (const page of pagesOf(orders, 500)) {
  await Promise.all(page.map((order) => client.xAdd(job.streams[0], "*", { ...order })));
  watch.confirmed(page.length);
}
report(await watch.done);

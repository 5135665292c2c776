/** 500 single commands at a time, awaited together. */
import { connect } from "../child/client.js";
import { job } from "../child/job.js";
import { flat } from "../child/payload.js";
import { orders, pagesOf } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const redis = await connect();
const watch = new Stopwatch(job);
for (const page of pagesOf(orders, 500)) {
  await Promise.all(page.map((order) => redis.xadd(job.streams[0], "*", ...flat(order))));
  watch.confirmed(page.length);
}
report(await watch.done);

/** `pipeline()` of 500 commands, awaited; an error in one of them would be seen. */
import { connect } from "../child/client.js";
import { job } from "../child/job.js";
import { flat } from "../child/payload.js";
import { orders, pagesOf } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const redis = await connect();
const watch = new Stopwatch(job);
for (const page of pagesOf(orders, 500)) {
  const pipeline = redis.pipeline();
  for (const order of page) pipeline.xadd(job.streams[0], "*", ...flat(order));
  for (const [error] of (await pipeline.exec())!) if (error) throw error;
  watch.confirmed(page.length);
}
report(await watch.done);

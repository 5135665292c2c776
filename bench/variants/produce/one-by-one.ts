/** The producer of most tutorials: each XADD awaited before the next. */
import { connect } from "../child/client.js";
import { job } from "../child/job.js";
import { flat } from "../child/payload.js";
import { orders } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const redis = await connect();
const watch = new Stopwatch(job);
for (const order of orders) {
  await redis.xadd(job.streams[0], "*", ...flat(order));
  watch.confirmed(1);
}
report(await watch.done);

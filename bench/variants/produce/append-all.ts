/** `appendAll` of an iterable, which is asked for the next records only as Redis confirms; 500 per write. */
import { appendAll } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { job } from "../child/job.js";
import { orders } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const redis = await connect();
const watch = new Stopwatch(job);
void watch.done.then(report);
appendAll(redis, orders, { stream: job.streams[0], maxBatch: 500 }).subscribe(() => watch.confirmed(1));

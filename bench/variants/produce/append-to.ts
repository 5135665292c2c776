/** `appendTo` behind an Observable of all records, 500 per write, as the others have it. */
import { from } from "rxjs";
import { appendTo } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { job } from "../child/job.js";
import { orders } from "../child/produce.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const redis = await connect();
const watch = new Stopwatch(job);
void watch.done.then(report);
from(orders)
  .pipe(appendTo(redis, { stream: job.streams[0], maxBatch: 500 }))
  .subscribe(() => watch.confirmed(1));

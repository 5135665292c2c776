/** A handler that returns at once, with retries and dead letters, acknowledged in batches. */
import { acknowledge, bufferAck, retryToDLQ, type Fields } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { source } from "../child/from-job.js";
import { job } from "../child/job.js";
import { measureLatency } from "../child/latency.js";

const redis = await connect();
const seen = measureLatency();
const handle = ({ sentUs }: Fields): void => seen(sentUs!);
source(redis)
  .pipe(retryToDLQ(handle, { maxDeliveries: 5 }), bufferAck(job.buffer), acknowledge(redis))
  .subscribe();

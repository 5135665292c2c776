/** A pipeline while nothing happens: it waits for entries, renews its leases and looks for what others left behind. */
import { acknowledge, bufferAck, retryToDLQ } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { source } from "../child/from-job.js";
import { measureIdle } from "../child/idle.js";
import { job } from "../child/job.js";

const redis = await connect();
source(redis)
  .pipe(
    retryToDLQ(() => {}, { maxDeliveries: 5 }),
    bufferAck(job.buffer),
    acknowledge(redis),
  )
  .subscribe();
await measureIdle();

/** The same handler, a millisecond each and a hundred at a time, behind `fromGroup`, which reads only as much as is settled. */
import { setTimeout as delay } from "node:timers/promises";
import { acknowledge, bufferAck, retryToDLQ } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { drain } from "../child/drain.js";
import { source } from "../child/from-job.js";
import { job } from "../child/job.js";

const redis = await connect();
const handler = (): Promise<void> => delay(1);
drain(source(redis).pipe(retryToDLQ(handler, { maxDeliveries: 5, concurrency: 100 }), bufferAck(job.buffer), acknowledge(redis)));

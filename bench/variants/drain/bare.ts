/** The shortest pipeline: what is read is acknowledged. */
import { acknowledge, bufferAck } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { drain } from "../child/drain.js";
import { source } from "../child/from-job.js";
import { job } from "../child/job.js";

const redis = await connect();
drain(source(redis).pipe(bufferAck(job.buffer), acknowledge(redis)));

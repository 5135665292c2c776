/** A handler that returns a promise, up to 500 at a time, with retries and dead letters. */
import { acknowledge, bufferAck, retryToDLQ, type Fields } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { drain } from "../child/drain.js";
import { source } from "../child/from-job.js";
import { handle } from "../child/handlers.js";
import { job } from "../child/job.js";
import type { Order } from "../child/payload.js";

const redis = await connect();
// eslint-disable-next-line @typescript-eslint/require-await -- a promise per entry is what is measured
const ship = async (order: Fields): Promise<void> => handle(order as Fields & Order);
drain(source(redis).pipe(retryToDLQ(ship, { maxDeliveries: 5, concurrency: 500 }), bufferAck(job.buffer), acknowledge(redis)));

/** The pipeline of the README: typed by zod, repeats aside, in order per customer over 32 lanes, retries with backoff, dead letters. */
import { acknowledge, bufferAck, decode, dedupe, exponential, partitionBy, retryToDLQ } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { drain } from "../child/drain.js";
import { source } from "../child/from-job.js";
import { job } from "../child/job.js";
import { OrderSchema, ship } from "../child/order-schema.js";

const redis = await connect();
const backoff = exponential({ baseMs: 200, maxMs: 60_000 });

drain(
  source(redis).pipe(
    decode(OrderSchema),
    dedupe(redis, { key: ({ orderId }) => orderId, ttlMs: 86_400_000 }),
    partitionBy(
      ({ customer }) => customer,
      { lanes: 32 },
      (lane$) => lane$.pipe(retryToDLQ(ship, { maxDeliveries: 5, backoff, concurrency: 1 })),
    ),
    bufferAck(job.buffer),
    acknowledge(redis),
  ),
);

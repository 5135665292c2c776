/** A worker of BullMQ while nothing happens. */
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { measureIdle } from "../child/idle.js";
import { job } from "../child/job.js";

new Worker("idle", () => Promise.resolve(), { connection: new Redis(job.url, { maxRetriesPerRequest: null }) });
await measureIdle();

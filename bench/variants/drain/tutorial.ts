/** The loop of most tutorials: five entries per read, one connection, each entry handled and acknowledged before the next. */
import { connect, type Reply } from "../child/client.js";
import { handleFlat } from "../child/handlers.js";
import { job } from "../child/job.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const { streams, group } = job;
const watch = new Stopwatch(job);
const redis = await connect();
void watch.done.then(report);

while (!watch.over) {
  const reply = (await redis.xreadgroup("GROUP", group, "worker-1", "COUNT", 5, "BLOCK", 2000, "STREAMS", streams[0], ">")) as Reply;
  for (const [stream, page] of reply ?? []) {
    for (const [id, fields] of page) {
      handleFlat(fields);
      watch.confirmed(await redis.xack(stream, group, id));
    }
  }
}

/**
 * The loop that is hard to beat by hand: two connections, 1000 entries per read, the next read in flight while a page is handled,
 * one XACK per page, not awaited.
 */
import { connect, type Reply } from "../child/client.js";
import { handleFlat } from "../child/handlers.js";
import { job } from "../child/job.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const { streams, group } = job;
const watch = new Stopwatch(job);
void watch.done.then(report);
for (let consumer = 1; consumer <= job.consumers; consumer += 1) void consume(`worker-${consumer}`);

async function consume(consumer: string): Promise<void> {
  const reader = await connect();
  const writer = await connect();
  const newest = streams.map(() => ">");
  const read = (): Promise<Reply> =>
    reader.xreadgroup("GROUP", group, consumer, "COUNT", 1000, "BLOCK", 5000, "STREAMS", ...streams, ...newest) as Promise<Reply>;

  for (let next = read(); !watch.over;) {
    const reply = await next;
    next = read(); // on its way while this page is handled
    for (const [stream, page] of reply ?? []) {
      const ids: string[] = [];
      for (const [id, fields] of page) {
        handleFlat(fields);
        ids.push(id);
      }
      void writer.xack(stream, group, ...ids).then((count) => watch.confirmed(count));
    }
  }
}

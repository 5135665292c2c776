/** The same loop with node-redis: 1000 entries per read, the next read in flight while a page is handled, one XACK per page, not awaited. */
import { createClient } from "redis";
import { handle } from "../child/handlers.js";
import { job } from "../child/job.js";
import type { Order } from "../child/payload.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const { url, streams, group } = job;
const watch = new Stopwatch(job);
const reader = await createClient({ url }).connect();
const writer = await createClient({ url }).connect();
void watch.done.then(report);

const read = () => reader.xReadGroup(group, "worker-1", { key: streams[0], id: ">" }, { COUNT: 1000, BLOCK: 5000 });

for (let next = read(); !watch.over;) {
  const reply = await next;
  next = read();
  for (const { name, messages } of (reply ?? []) as Pages) {
    const ids: string[] = [];
    for (const { id, message } of messages) {
      handle(message);
      ids.push(id);
    }
    void writer.xAck(name, group, ids).then((count) => watch.confirmed(Number(count)));
  }
}

type Pages = readonly {
  readonly name: string;
  readonly messages: readonly { readonly id: string; readonly message: Order & Record<string, string> }[];
}[];

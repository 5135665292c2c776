/** By hand: one connection waits in XREADGROUP, pages are handled as they come, one XACK per page goes over another, not awaited. */
import { connect, type Reply } from "../child/client.js";
import { job } from "../child/job.js";
import { measureLatency } from "../child/latency.js";

const {
  streams: [stream],
  group,
} = job;
const reader = await connect();
const writer = await connect();
await reader.xgroup("CREATE", stream, group, "0", "MKSTREAM");
const handle = measureLatency();

for (;;) {
  const reply = (await reader.xreadgroup("GROUP", group, "worker-1", "COUNT", 1000, "BLOCK", 5000, "STREAMS", stream, ">")) as Reply;
  for (const [, page] of reply ?? []) {
    for (const [, fields] of page) handle(fields[9]!);
    void writer.xack(stream, group, ...page.map(([id]) => id));
  }
}

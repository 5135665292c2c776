/** By hand: one connection waits in XREADGROUP for five seconds at a time, and nobody looks for what others left behind. */
import { connect } from "../child/client.js";
import { measureIdle } from "../child/idle.js";
import { job } from "../child/job.js";

const {
  streams: [stream],
  group,
} = job;
const reader = await connect();
await reader.xgroup("CREATE", stream, group, "0", "MKSTREAM");
void (async () => {
  for (;;) await reader.xreadgroup("GROUP", group, "worker-1", "COUNT", 1000, "BLOCK", 5000, "STREAMS", stream, ">");
})();
await measureIdle();

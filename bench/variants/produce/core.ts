/** What one core of the server can take in: pages of 500 XADDs that were encoded before the clock starts, four of them on their way. */
import { encode } from "../child/encode.js";
import { job } from "../child/job.js";
import { flat } from "../child/payload.js";
import { orders, pagesOf } from "../child/produce.js";
import { rawConnection } from "../child/raw-connection.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const commands = pagesOf(orders, 500).map((page) => ({
  size: page.length,
  bytes: Buffer.from(page.map((order) => encode("XADD", job.streams[0], "*", ...flat(order))).join("")),
}));
const connection = await rawConnection(job.url);
const watch = new Stopwatch(job);
let next = 0;
async function keepSending(): Promise<void> {
  for (let page = commands[next++]; page; page = commands[next++]) {
    await connection.send(page.bytes);
    watch.confirmed(page.size);
  }
}
for (let lane = 0; lane < 4; lane += 1) void keepSending();
report(await watch.done);

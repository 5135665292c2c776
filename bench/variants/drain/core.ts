/**
 * What one core of the server can deliver: no client could be faster. It knows the ids and the sizes in advance, so it parses nothing:
 * four pages are on their way at any time, each one XREADGROUP of 1000 and the XACK of these 1000, encoded before the clock starts.
 */
import { encode } from "../child/encode.js";
import { job } from "../child/job.js";
import { idOf } from "../child/payload.js";
import { rawConnection } from "../child/raw-connection.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const { url, streams, group, entries } = job;
const [stream] = streams;
const read = encode("XREADGROUP", "GROUP", group, "worker-1", "COUNT", "1000", "STREAMS", stream, ">");
const pages = Array.from({ length: Math.ceil(entries / 1000) }, (_, page) => {
  const size = Math.min(1000, entries - page * 1000);
  const ids = Array.from({ length: size }, (_, index) => idOf(page * 1000 + index));
  return { size, commands: Buffer.from(read + encode("XACK", stream, group, ...ids)) };
});

const watch = new Stopwatch(job);
const connection = await rawConnection(url);
let next = 0;
async function keepSending(): Promise<void> {
  for (let page = pages[next++]; page; page = pages[next++]) {
    await connection.send(page.commands);
    watch.confirmed(page.size); // the harness checks afterwards that nothing is pending
  }
}
for (let lane = 0; lane < 4; lane += 1) void keepSending();
report(await watch.done);

/** Adds `rate` entries per second for `seconds`, each with the time it was sent at; started by the variant that receives them. */
import { connect } from "node:net";
import { encode } from "../child/encode.js";
import { job } from "../child/job.js";
import { flat, toOrder } from "../child/payload.js";

const { hostname, port } = new URL(job.url);
const socket = connect({ host: hostname, port: Number(port), noDelay: true });
socket.resume(); // the ids don't matter
const total = job.rate * job.seconds;
const startMs = performance.now();
let sent = 0;
socket.once("connect", sendWhatIsDue);

function sendWhatIsDue(): void {
  const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * job.rate));
  for (; sent < due; sent += 1) {
    const nowUs = String(process.hrtime.bigint() / 1000n);
    socket.write(encode("XADD", job.streams[0], "*", ...flat(toOrder(sent, job.payloadBytes)), "sentUs", nowUs));
  }
  if (sent < total) setTimeout(sendWhatIsDue, 1);
  else socket.end();
}

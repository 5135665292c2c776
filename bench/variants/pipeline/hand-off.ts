/** Each entry becomes an entry of another stream, exactly once: written in the atomic step that acknowledges it. */
import { bufferAck, handOff, type Fields } from "rxjs-redis-streams";
import { connect } from "../child/client.js";
import { drain } from "../child/drain.js";
import { source } from "../child/from-job.js";
import { job } from "../child/job.js";

const redis = await connect();
const to = `{${job.streams[0]}}:out`;
const fields = ({ orderId, amount }: Fields) => ({ orderId: orderId!, amount: amount! });
drain(source(redis).pipe(bufferAck(job.buffer), handOff(redis, { to, fields })));

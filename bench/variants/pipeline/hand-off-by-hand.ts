/**
 * Each entry becomes an entry of another stream, by hand: per page one transaction with an XADD per entry and one XACK, not awaited, the
 * next read in flight. At least once only: it also writes for an entry that another consumer has taken over meanwhile.
 */
import { connect, type Reply } from "../child/client.js";
import { job } from "../child/job.js";
import { report } from "../child/report.js";
import { Stopwatch } from "../child/stopwatch.js";

const {
  streams: [stream],
  group,
} = job;
const watch = new Stopwatch(job);
void watch.done.then(report);
const reader = await connect();
const writer = await connect();
const read = (): Promise<Reply> =>
  reader.xreadgroup("GROUP", group, "worker-1", "COUNT", 1000, "BLOCK", 5000, "STREAMS", stream, ">") as Promise<Reply>;

for (let next = read(); !watch.over;) {
  const page = (await next)?.[0]?.[1] ?? [];
  next = read();
  if (page.length === 0) continue;
  const transaction = writer.multi();
  for (const [, fields] of page) transaction.xadd(`{${stream}}:out`, "*", "orderId", fields[1]!, "amount", fields[5]!);
  transaction.xack(stream, group, ...page.map(([id]) => id));
  void transaction.exec().then((replies) => watch.confirmed(Number(replies!.at(-1)![1])));
}

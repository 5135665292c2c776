/**
 * What many write with plain RxJS: a loop that reads and emits into a Subject, and `mergeMap` with a hundred handlers of a millisecond
 * behind it. Nothing tells the loop to wait.
 */
import { mergeMap, Subject } from "rxjs";
import { setTimeout as delay } from "node:timers/promises";
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
const entries$ = new Subject<readonly [id: string, fields: readonly string[]]>();

entries$
  .pipe(
    mergeMap(async ([id]) => {
      await delay(1);
      return writer.xack(stream, group, id);
    }, 100),
  )
  .subscribe((count) => watch.confirmed(count));

for (;;) {
  const reply = (await reader.xreadgroup("GROUP", group, "worker-1", "COUNT", 1000, "BLOCK", 5000, "STREAMS", stream, ">")) as Reply;
  for (const [, page] of reply ?? []) for (const entry of page) entries$.next(entry);
}

import type { Observable } from "rxjs";
import type { Receipt } from "rxjs-redis-streams";
import { job } from "./job.js";
import { report } from "./report.js";
import { Stopwatch } from "./stopwatch.js";

/** Subscribes as often as the job has consumers, and reports when the receipts cover all entries. */
export function drain(receipts$: Observable<Receipt>): void {
  const watch = new Stopwatch(job);
  void watch.done.then(report);
  for (let consumer = 1; consumer <= job.consumers; consumer += 1) {
    receipts$.subscribe({ next: ({ acked }) => watch.confirmed(acked) }); // an error is thrown, and fails the run
  }
}

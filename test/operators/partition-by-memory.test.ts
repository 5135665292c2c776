import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ignoreElements, Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { Fifo } from "../../src/flow/fifo.js";
import type { Fields } from "../../src/model/fields.js";
import type { HeldDelivery } from "../../src/model/held-delivery.js";
import type { Flow } from "../../src/model/settlement.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { TestSource } from "../support/deliveries.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const page = 500;
/** What is kept of each key after the first 200 000 would show: 4 MiB are 20 bytes a key. A million takes a minute. */
const keys = Number(process.env["MEMORY_KEYS"] ?? 400_000);

function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe("partitionBy", () => {
  it.each(["pass", "wait"] as const)(
    "%s: any number of keys with 100 000 in flight take no more memory than the first of them",
    { timeout: 300_000 },
    (whileRetrying) => {
      const source = new TestSource({ window: 100_000 });
      source.ledger.inquiries.subscribe(({ questions, answer }) => answer(questions.map(() => ({ isMarked: false, waitsMs: undefined }))));
      const source$ = new Subject<Flow<Fields>>();
      let lanes = 0;
      const subscription = source$
        .pipe(
          partitionBy(
            (_, { id }) => `customer-${id}`,
            { lanes: 32, whileRetrying },
            (lane$) => ((lanes += 1), lane$.pipe(ignoreElements())),
          ),
        ) // prettier-ignore
        .subscribe();
      const inFlight = new Fifo<HeldDelivery<Fields>>();
      const settlePage = (): void => source.ledger.confirm(Array.from({ length: page }, () => ({ held: inFlight.shift()! })));
      const empty = heapUsed();
      let full = 0;
      for (let n = 0; n < keys; n += page) {
        if (inFlight.size === 100_000) settlePage();
        for (const delivery of source.many(page, n + 1)) {
          inFlight.push(delivery);
          source$.next(delivery);
        }
        if (n + page === 200_000) full = heapUsed();
      }
      const growth = heapUsed() - full;
      while (inFlight.size > 0) settlePage();
      const left = heapUsed() - empty;
      subscription.unsubscribe();
      expect(lanes).toBe(32);
      expect(growth).toBeLessThan(4 * 2 ** 20);
      expect(left).toBeLessThan(16 * 2 ** 20);
    },
  );
});

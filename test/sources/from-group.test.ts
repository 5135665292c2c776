import { map } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Fields } from "../../src/model/fields.js";
import { settle, type Flow } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { fromGroup } from "../../src/sources/from-group.js";
import { FakePort } from "../support/fake-port.js";
import { Feed } from "../support/group-run.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";
import type { Receipt } from "../../src/model/receipt.js";

describe("fromGroup", () => {
  it("checks its options and its client when it is called", () => {
    const options = { stream: "orders", group: "shipping", startId: "0" };
    expect(() => fromGroup({} as never, options)).toThrow(/^Expected a `Redis` or `Cluster` of ioredis 5 or 6/);
    expect(() => fromGroup(new FakePort().client, { ...options, maxInFlight: 0 })).toThrow(RangeError);
  });

  it("runs a whole pipeline to the end of a drain: what came in is settled exactly once", () => {
    const feed = new Feed();
    const port = new FakePort({ read: feed.read });
    const drain = new AbortController();
    let receipts: Recording<Receipt> | undefined;
    timeline({
      0: () => {
        const receipts$ = fromGroup(port.client, {
          stream: "orders",
          group: "shipping",
          startId: "0",
          maxInFlight: 4,
          signal: drain.signal,
        }).pipe(
          map((order): Flow<Fields> => (order.id === "3-0" ? settle.ack(order, "filtered") : order)),
          retryToDLQ(({ n }) => (n === "4" ? boom() : n), { maxDeliveries: 1 }),
          bufferAck({ maxSize: 3 }),
          acknowledge(port.client),
        );
        receipts = record(receipts$);
      },
      10: () => feed.push(1, 2, 3, 4),
      500: () => drain.abort(),
    });
    const total = (count: "acked" | "filtered" | "deadLettered" | "retried" | "released" | "notPending" | "repeated"): number =>
      receipts!.values.reduce((sum, each) => sum + each[count], 0);
    expect({ acked: total("acked"), filtered: total("filtered"), deadLettered: total("deadLettered") }).toEqual({ acked: 2, filtered: 1, deadLettered: 1 }); // prettier-ignore
    expect([total("retried"), total("released"), total("notPending"), total("repeated")]).toEqual([0, 0, 0, 0]);
    expect(receipts!.ended).toBe("complete");
    expect(port.open).toEqual({ commands: 0, readers: 0 });
  });
});

function boom(): never {
  throw new Error("boom");
}

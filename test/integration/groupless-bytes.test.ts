import { concatMap, delay, of, tap } from "rxjs";
import { acknowledge, fixed, fromRange, fromStream, retryToDLQ } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { StatusLog, total, workbench } from "../support/workbench.js";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

describe("a source without a group", () => {
  it("reads bytes as they are, by both of its ways, a retry included", async () => {
    const { redis, stream, run } = workbench();
    for (let n = 0; n < 3; n += 1) await redis.xadd(stream, "*", "n", everyByte);
    for (const source$ of [
      fromStream(redis, { stream, from: "0", payload: "buffer" }),
      fromRange(redis, { stream, payload: "buffer", reverse: true }),
    ]) {
      const seen: (Buffer | undefined)[] = [];
      const handle = ({ n }: { readonly [name: string]: Buffer }, { deliveryCount }: { readonly deliveryCount: number }): unknown =>
        deliveryCount === 1 ? Promise.reject(new Error("once")) : seen.push(n);
      const pipeline = run(source$.pipe(retryToDLQ(handle, { maxDeliveries: 3, backoff: fixed(5) }), acknowledge(redis)));
      await until(() => total(pipeline.values, "acked") === 3, "all are handled");
      expect(seen).toEqual([everyByte, everyByte, everyByte]);
    }
  });

  it("keeps to maxInFlightBytes, and says that it is used up", async () => {
    const { redis, stream, run } = workbench();
    const large = Buffer.alloc(100_000, "x");
    for (let n = 0; n < 60; n += 1) await redis.xadd(stream, "*", "n", large);
    const status = new StatusLog();
    const options = { stream, maxInFlightBytes: 2_000_000, status };
    for (const source$ of [fromStream(redis, { ...options, from: "0" }), fromRange(redis, options)]) {
      let [open, most] = [0, 0];
      const pipeline = run(
        source$.pipe(
          tap(() => (most = Math.max(most, (open += 1)))),
          concatMap((delivery) => of(delivery).pipe(delay(2))),
          tap(() => (open -= 1)),
          acknowledge(redis),
        ),
      );
      await until(() => total(pipeline.values, "acked") === 60, "all are handled");
      expect(most).toBeGreaterThan(5);
      expect(most).toBeLessThanOrEqual(20 + 16); // the first read does not know their size
    }
  });
});

import { left, right } from "fp-ts/lib/Either.js";
import { pipe } from "rxjs";
import { acknowledge, batch, bufferAck, filterAck, fixed, fromGroup, retryToDLQ, settle, tee, type Fields } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { helperKeys, total, workbench } from "../support/workbench.js";

describe("batch", () => {
  it("bisects calls that throw, until the poison entry is a dead letter and all others are acknowledged", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(200);
    const done = new Map<string, number>();
    let calls = 0;
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        batch(
          async (values) => {
            calls += 1;
            await redis.ping();
            if (values.some(({ n }) => n === "77")) throw new Error("poison");
            for (const { n = "" } of values) done.set(n, (done.get(n) ?? 0) + 1);
          },
          { maxSize: 200, maxWaitMs: 50, maxDeliveries: 2, backoff: fixed(10) },
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "one is a dead letter");
    expect((await deadLetters())[0]![1].slice(2)).toEqual(["n", "77"]);
    expect(JSON.parse((await deadLetters())[0]![1][1]!)).toMatchObject({ deliveryCount: 2, cause: { message: "poison" } });
    await until(() => total(receipts.values, "acked") === 199, "the others are acknowledged");
    expect([...done.values()]).toEqual(new Array(199).fill(1)); // all-or-nothing calls, and each entry in one that went well
    expect(total(receipts.values, "retried")).toBe(1);
    expect(calls).toBeLessThan(30);
    expect(await redis.zcard(helperKeys(stream, group)[1])).toBe(0);
  });

  it("settles each item by its own result", async () => {
    const { redis, stream, group, add, pendingRows, deadLetters, run } = workbench();
    const ids = await add(6);
    const results = ["value", "left", "retry", "dead", "release", "promise"] as const;
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        batch<Fields, unknown>(
          (values, deliveries) =>
            values.map(({ n }, index) => {
              const delivery = deliveries[index]!;
              switch (results[Number(n)]) {
                case "left":
                  return left("out of stock");
                case "retry":
                  return settle.retry(delivery, { delayMs: 3_600_000, cause: "later" });
                case "dead":
                  return settle.deadLetter(delivery, "never");
                case "release":
                  return settle.release(delivery, { delayMs: 3_600_000 });
                case "promise":
                  return Promise.reject(new Error("alone"));
                default:
                  return right(n);
              }
            }),
          { maxSize: 6, maxDeliveries: 3, backoff: fixed(3_600_000) },
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(() => receipts.values.length > 0 && total(receipts.values, "acked") === 1, "it is settled");
    expect(total(receipts.values, "retried")).toBe(3);
    expect(total(receipts.values, "released")).toBe(1);
    expect(total(receipts.values, "deadLettered")).toBe(1);
    expect((await deadLetters()).map(([, pairs]) => pairs[3])).toEqual(["3"]);
    expect((await pendingRows()).map(([id, , , count]) => [id, count])).toEqual([
      [ids[1], 1],
      [ids[2], 1],
      [ids[4], 0],
      [ids[5], 1],
    ]);
    expect((await redis.zrange(helperKeys(stream, group)[1], "0", "-1")).sort()).toEqual([ids[1], ids[2], ids[4], ids[5]].sort());
  });
});

describe("tee", () => {
  it("acknowledges what all branches have done, and shows all of them again what failed in one", async () => {
    const { redis, stream, group, add, pending, deadLetters, run } = workbench();
    await add(30);
    const seen = { bill: [] as string[], ship: [] as string[], batched: [] as string[] };
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        tee(
          retryToDLQ(({ n = "" }) => void seen.bill.push(n), { maxDeliveries: 5 }),
          pipe(
            filterAck(({ n }) => Number(n) < 20),
            retryToDLQ(
              ({ n = "" }, { deliveryCount }) => {
                seen.ship.push(n);
                if (n === "5" && deliveryCount === 1) throw new Error("once");
                if (n === "6") throw new Error("always");
              },
              { maxDeliveries: 2, backoff: fixed(20) },
            ),
          ),
          batch((values) => void seen.batched.push(...values.map(({ n = "" }) => n)), { maxSize: 10, maxWaitMs: 5 }),
        ),
        bufferAck(),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1 && (await pending()) === 0, "all are settled");
    await until(() => total(receipts.values, "acked") === 29, "29 are acknowledged");
    expect((await deadLetters())[0]![1].slice(2)).toEqual(["n", "6"]);
    expect(total(receipts.values, "retried")).toBe(2);
    const again = (from: number): string[] => [...Array.from({ length: from }, (_, n) => String(n)), "5", "6"].sort();
    expect(seen.bill.sort()).toEqual(again(30));
    expect(seen.ship.sort()).toEqual(again(20));
    expect(seen.batched.sort()).toEqual(again(30));
  });

  it("keeps pending what one branch holds, and hands it back when the pipeline is given up", async () => {
    const { redis, stream, group, add, pendingRows, run } = workbench();
    const ids = await add(3);
    const done: string[] = [];
    const receipts = run(
      fromGroup(redis, { stream, group, startId: "0" }).pipe(
        tee(
          retryToDLQ(({ n = "" }) => void done.push(n), { maxDeliveries: 5 }),
          retryToDLQ(({ n }) => (n === "1" ? new Promise<void>(() => undefined) : undefined), { maxDeliveries: 5 }),
        ),
        acknowledge(redis),
      ),
    );
    await until(() => total(receipts.values, "acked") === 2, "the others are acknowledged");
    expect(done).toEqual(["0", "1", "2"]);
    expect((await pendingRows()).map(([id, , , count]) => [id, count])).toEqual([[ids[1], 1]]);
    receipts.subscription.unsubscribe();
    await until(async () => (await pendingRows())[0]?.[3] === 0, "it is handed back, with the count it had");
  });
});

import * as E from "fp-ts/lib/Either.js";
import { mergeAll, Observable, pipe, take, type OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../src/model/settlement.js";
import { batch } from "../../src/operators/batch.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { decode } from "../../src/operators/decode.js";
import { dedupe } from "../../src/operators/dedupe.js";
import { filterAck } from "../../src/operators/filter-ack.js";
import { partitionBy, type PartitionByProjectOptions } from "../../src/operators/partition-by.js";
import { rateLimit } from "../../src/operators/rate-limit.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { tee } from "../../src/operators/tee.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { appendTo } from "../../src/sinks/append-to.js";
import { handOff } from "../../src/sinks/hand-off.js";
import { TestSource } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { record } from "../support/virtual-time.js";

/** Emits in its subscribe function, as `from(array)` does, for as long as anybody listens. */
function firehose(): { source$: Observable<Flow<unknown>>; emitted: () => number } {
  const source = new TestSource();
  source.ledger.inquiries.subscribe(({ questions, answer }) => answer(questions.map(() => ({ isMarked: false, waitsMs: undefined }))));
  const deliveries = source.many(100);
  let emitted = 0;
  const source$ = new Observable<Flow<unknown>>((subscriber) => {
    for (let index = 0; index < deliveries.length && !subscriber.closed; index += 1) {
      emitted += 1;
      subscriber.next(deliveries[index]!);
    }
  });
  return { source$, emitted: () => emitted };
}

type Operator = OperatorFunction<Flow<unknown>, unknown>;

const { client } = new FakePort();
const noKey = (): string => {
  throw new Error("no key");
};
const inLanes = (options: PartitionByProjectOptions): Operator =>
  partitionBy(
    () => "key",
    options,
    (lane$) => lane$,
  );

/** Every one of this library that gets deliveries, with settings that let each pass at once: where it has to ask, decided without. */
const operators: readonly (readonly [string, Operator])[] = [
  ["decode", decode(() => E.right(1))],
  ["dedupe", dedupe(client, { key: noKey, ttlMs: 1 })],
  ["filterAck", filterAck(() => true)],
  ["rateLimit", rateLimit({ limit: 1_000, perMs: 1 })],
  ["rateLimit of a group", rateLimit(client, { limit: 1_000, perMs: 1, scope: "group" })],
  ["retryToDLQ", retryToDLQ(() => 1, { maxDeliveries: 5 })],
  ["batch", batch(() => undefined, { maxSize: 1 })],
  ["tee", tee(filterAck(() => true), retryToDLQ(() => 1, { maxDeliveries: 5 }))], // prettier-ignore
  ["partitionBy", inLanes({ lanes: 2 })],
  ["partitionBy that waits", inLanes({ lanes: 2, whileRetrying: "wait" })],
  ["partitionBy without a project", pipe(partitionBy<unknown>(() => "key", { lanes: 2 }), mergeAll())], // prettier-ignore
  ["bufferAck", bufferAck({ maxSize: 1 })],
  ["acknowledge", acknowledge(client)],
  ["handOff", handOff(client, { to: "out", fields: () => ({ n: 1 }) })],
  ["appendTo", appendTo(client, { stream: "out", fields: () => ({ n: 1 }) })],
];

describe("a synchronous source", () => {
  it.each(operators)("is stopped by a subscriber that has had enough of %s", (_, operator) => {
    const { source$, emitted } = firehose();
    const { values, ended } = record(source$.pipe(operator, take(2)));
    expect(values).toHaveLength(2);
    expect(ended).toBe("complete");
    expect(emitted()).toBe(2);
  });
});

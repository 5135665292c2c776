import * as E from "fp-ts/lib/Either.js";
import { Observable, take, type OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../src/model/settlement.js";
import { bufferAck } from "../../src/operators/buffer-ack.js";
import { decode } from "../../src/operators/decode.js";
import { partitionBy } from "../../src/operators/partition-by.js";
import { retryToDLQ } from "../../src/operators/retry-to-dlq.js";
import { acknowledge } from "../../src/sinks/acknowledge.js";
import { TestSource } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { record } from "../support/virtual-time.js";

/** Emits in its subscribe function, as `from(array)` does, for as long as anybody listens. */
function firehose(): { source$: Observable<Flow<unknown>>; emitted: () => number } {
  const deliveries = new TestSource().many(100);
  let emitted = 0;
  const source$ = new Observable<Flow<unknown>>((subscriber) => {
    for (let index = 0; index < deliveries.length && !subscriber.closed; index += 1) {
      emitted += 1;
      subscriber.next(deliveries[index]!);
    }
  });
  return { source$, emitted: () => emitted };
}

const operators: readonly (readonly [string, OperatorFunction<Flow<unknown>, unknown>])[] = [
  ["decode", decode(() => E.right(1))],
  ["retryToDLQ", retryToDLQ(() => 1, { maxDeliveries: 5 })],
  [
    "partitionBy",
    partitionBy(
      () => "key",
      { lanes: 2 },
      (lane$) => lane$,
    ),
  ],
  ["bufferAck", bufferAck({ maxSize: 1 })],
  ["acknowledge", acknowledge(new FakePort().client)],
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

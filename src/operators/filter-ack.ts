import { map, type OperatorFunction } from "rxjs";
import { isPromise } from "../flow/handler-result.js";
import { tracked } from "../flow/tracked.js";
import { callable } from "../model/check.js";
import type { Delivery } from "../model/delivery.js";
import { settle, type Flow } from "../model/settlement.js";

/**
 * Passes the deliveries that a predicate accepts, and settles the others as acknowledged with the reason `"filtered"`: `filter`
 * for deliveries.
 *
 * ```text
 * source  --a--b--c--|
 * result  --a--f--c--|      f: b settled as an ack, counted as `filtered` in the receipt; operators behind it do not see it
 * ```
 *
 * **Guarantee** what is dropped is acknowledged, so its credit returns and nobody gets it again. A predicate that throws, or
 * answers with a promise (which would be true whatever it promises), settles a dead letter with the reason.
 * **Order** kept. **Backpressure** holds nothing. **Teardown** nothing of its own.
 *
 * @param predicate - gets `(value, delivery)`; a type guard narrows the value
 * @throws TypeError at call time when it is no function
 * @example
 * ```ts
 * source.pipe(decode(Order), filterAck((order) => order.amount > 0), retryToDLQ(ship, { maxDeliveries: 5 }), acknowledge(redis));
 * ```
 * @public
 */
export function filterAck<A, B extends A>(predicate: (value: A, delivery: Delivery<A>) => value is B): OperatorFunction<Flow<A>, Flow<B>>;
export function filterAck<A>(predicate: (value: A, delivery: Delivery<A>) => boolean): OperatorFunction<Flow<A>, Flow<A>>;
export function filterAck<A>(predicate: (value: A, delivery: Delivery<A>) => boolean): OperatorFunction<Flow<A>, Flow<A>> {
  callable("predicate", predicate);
  const sift = (delivery: Delivery<A>): Flow<A> => {
    try {
      const accepted: unknown = predicate(delivery.value, delivery);
      if (typeof accepted === "object" && accepted !== null && isPromise(accepted)) throw promised(accepted);
      return accepted ? delivery : settle.ack(delivery, "filtered");
    } catch (error) {
      return settle.deadLetter(delivery, error);
    }
  };
  return tracked(
    "filterAck",
    map((item) => (item._tag === "Settled" ? item : sift(item))),
  );
}

function promised(promise: PromiseLike<unknown>): TypeError {
  void promise.then(undefined, () => undefined); // its rejection is nobody's business any more
  return new TypeError(
    'Expected the predicate of filterAck to answer at once, got a promise: a handler of retryToDLQ may wait, and decide with settle.ack(delivery, "filtered")',
  );
}

import * as O from "fp-ts/lib/Option.js";
import { DeliveriesExhaustedError } from "../errors.js";
import { callable, integer } from "../model/check.js";
import { atOnce } from "../model/disown.js";
import type { Delivery } from "../model/delivery.js";
import { delayAfter, exponential, type BackoffPolicy } from "../model/retry-policy.js";
import { settle, type Settled } from "../model/settlement.js";

/** The options of an operator with a handler that say what becomes of a failure. @internal */
export interface FailureOptions {
  readonly maxDeliveries: number;
  readonly backoff?: BackoffPolicy | undefined;
  readonly retryable?: ((error: unknown) => boolean) | undefined;
}

/** @internal */
export interface FailurePolicy {
  /** Decides about what was delivered too often, before a handler sees it: it may be what ends its consumers. */
  readonly refuse: (delivery: Delivery<unknown>) => Settled<unknown> | undefined;
  /** A retry as long as there is hope, else a dead letter. */
  readonly fail: (delivery: Delivery<unknown>, error: unknown) => Settled<unknown>;
}

/** @throws RangeError or TypeError for bad options @internal */
export function failurePolicy(options: FailureOptions): FailurePolicy {
  const { maxDeliveries, backoff = exponential({ baseMs: 200, maxMs: 60_000 }), retryable = () => true } = options;
  integer("maxDeliveries", maxDeliveries, 1);
  callable("backoff", backoff);
  callable("retryable", retryable);
  return {
    refuse: (delivery) =>
      delivery.deliveryCount > maxDeliveries
        ? settle.deadLetter(delivery, new DeliveriesExhaustedError(delivery.deliveryCount, maxDeliveries))
        : undefined,
    fail: (delivery, error) => {
      const { deliveryCount } = delivery;
      try {
        if (deliveryCount >= maxDeliveries || !atOnce("retryable", retryable(error))) return settle.deadLetter(delivery, error);
        const delay = delayAfter((attempt) => atOnce("backoff", backoff(attempt)), { deliveryCount, error, random: Math.random() });
        return O.isSome(delay) ? settle.retry(delivery, { delayMs: delay.value, cause: error }) : settle.deadLetter(delivery, error);
      } catch (broken) {
        return settle.deadLetter(delivery, broken); // `retryable` or `backoff` threw: their bug is the reason a person has to see
      }
    },
  };
}

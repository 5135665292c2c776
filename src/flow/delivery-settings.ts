import type { Observer } from "rxjs";
import { durationMs, integer, relation } from "../model/check.js";
import type { SourceStatus } from "../model/status.js";

/** What every source of deliveries takes. @public */
export interface DeliveryOptions {
  /** The most deliveries unsettled at a time, 1 to 1 000 000, and at least one per stream named. @defaultValue `1000` */
  readonly maxInFlight?: number | undefined;
  /** Aborted: drain. */
  readonly signal?: AbortSignal | undefined;
  /** How long a drain may take before the rest is released, ms, 0 or more. @defaultValue `25000` */
  readonly drainTimeoutMs?: number | undefined;
  /** After how long without being settled a delivery is reported as stalled, ms, 1 or more. @defaultValue `60000` */
  readonly stalledAfterMs?: number | undefined;
  /** Hears what the source does; only its `next` is called, so that one observer may serve many sources. */
  readonly status?: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/** These options checked, with their defaults. @internal */
export interface DeliverySettings {
  readonly maxInFlight: number;
  readonly signal: AbortSignal | undefined;
  readonly drainTimeoutMs: number;
  readonly stalledAfterMs: number;
  readonly status: Pick<Observer<SourceStatus>, "next"> | undefined;
}

/** What every source without a group needs. @internal */
export interface GrouplessSettings extends DeliverySettings {
  readonly stream: string;
}

/**
 * @param streams - how many there are at least
 * @throws RangeError or TypeError that names the option, the value and the range
 * @internal
 */
export function deliverySettings(options: DeliveryOptions, streams = 1): DeliverySettings {
  const { maxInFlight = 1000, signal, drainTimeoutMs = 25_000, stalledAfterMs = 60_000, status } = options;
  return {
    maxInFlight: windowFor(streams, maxInFlight),
    signal: abortSignal(signal),
    drainTimeoutMs: durationMs("drainTimeoutMs", drainTimeoutMs),
    stalledAfterMs: durationMs("stalledAfterMs", stalledAfterMs, 1),
    status,
  };
}

function windowFor(streams: number, maxInFlight: number): number {
  integer("maxInFlight", maxInFlight, 1, 1_000_000);
  relation(maxInFlight >= streams, `Expected \`maxInFlight\` to be at least the number of streams (${streams}), got \`${maxInFlight}\``);
  return maxInFlight;
}

function abortSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new TypeError('Expected `signal` to be an AbortSignal, such as drainOn("SIGTERM")');
}

import type { Observer } from "rxjs";
import { durationMs, integer, payloadKind, relation } from "../model/check.js";
import type { Payload } from "../model/payload.js";
import type { SourceStatus } from "../model/status.js";

/**
 * What every source of deliveries takes.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface DeliveryOptions<P extends Payload = "string"> {
  /** The most deliveries unsettled at a time, 1 to 1 000 000, and at least one per stream named. @defaultValue `2000` */
  readonly maxInFlight?: number | undefined;
  /**
   * The most bytes of names and values unsettled at a time, 1 or more; with text, the most UTF-16 units. Redis is asked for entries,
   * not for bytes: before a read each is taken to be as large as the largest of about the last thousand, and when it has come its
   * exact size counts. So the limit holds while sizes are what they were lately. A read of larger entries exceeds it, by less than
   * 128 times the largest of them (the first read: 16 times), because it asks for no more, or for two per stream where that is
   * more. What is larger than the limit is handed out alone. In a Cluster each slot has its part, of at least one entry. Give it
   * 16 times your largest entry or more: a read holds as many as fit, and small reads are slow.
   * @defaultValue none: bytes are not counted
   */
  readonly maxInFlightBytes?: number | undefined;
  /**
   * `"string"`: names and values as text. `"buffer"`: values as the bytes they are, whatever they are; the value of a delivery is
   * `BinaryFields` then. The Buffers are views into larger memory, of the entry or, read portably, 64 KiB and more a piece: copy what you keep for long.
   * @defaultValue `"string"`, in which what is no UTF-8 is lost; an entry that becomes a dead letter keeps its bytes either way
   */
  readonly payload?: P | undefined;
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
  readonly maxInFlightBytes: number | undefined;
  readonly payload: Payload;
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
export function deliverySettings(options: DeliveryOptions<Payload>, streams = 1): DeliverySettings {
  const { maxInFlight = 2000, maxInFlightBytes, payload, signal, drainTimeoutMs = 25_000, stalledAfterMs = 60_000, status } = options;
  return {
    maxInFlight: windowFor(streams, maxInFlight),
    maxInFlightBytes: maxInFlightBytes === undefined ? undefined : integer("maxInFlightBytes", maxInFlightBytes, 1),
    payload: payloadKind(payload),
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

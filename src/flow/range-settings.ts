import { integer, text } from "../model/check.js";
import { streamName } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import { toRange, type Range, type RangeBound } from "../model/range-bound.js";
import { deliverySettings, type DeliveryOptions, type GrouplessSettings } from "./delivery-settings.js";

/**
 * Options of `fromRange`.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface FromRangeOptions<P extends Payload = "string"> extends DeliveryOptions<P> {
  /** The stream's key. */
  readonly stream: string;
  /** The lower end of the range, in either direction; see {@link RangeBound}. @defaultValue `"-"` */
  readonly start?: RangeBound | undefined;
  /** The upper end. @defaultValue `"+"` */
  readonly end?: RangeBound | undefined;
  /** Whether to begin at `end` and go back. @defaultValue `false` */
  readonly reverse?: boolean | undefined;
  /** The most entries in all, 1 or more. @defaultValue all there are */
  readonly limit?: number | undefined;
  /** Entries per command, 1 to 10 000; fewer with less credit. @defaultValue `500` */
  readonly pageSize?: number | undefined;
}

/** Options of `fromRange` checked, with their defaults. @internal */
export interface RangeSettings extends GrouplessSettings {
  readonly range: Range;
  readonly reverse: boolean;
  readonly limit: number;
  readonly pageSize: number;
}

/** @throws RangeError or TypeError that names the option, the value and the range @internal */
export function rangeSettings(options: FromRangeOptions<Payload>): RangeSettings {
  const { stream, start = "-", end = "+", reverse = false, limit, pageSize = 500 } = options;
  return {
    ...deliverySettings(options),
    stream: streamName("stream", text("stream", stream)),
    range: toRange(start, end),
    reverse,
    limit: limit === undefined ? Infinity : integer("limit", limit, 1),
    pageSize: integer("pageSize", pageSize, 1, 10_000),
  };
}

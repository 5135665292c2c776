import { isObservable, type Observable } from "rxjs";
import { durationMs, oneOf, relation, text } from "../model/check.js";
import { streamName } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import { readerKind, type ReaderKind } from "../model/reader-kind.js";
import { startPosition } from "../model/start-position.js";
import { deliverySettings, type DeliveryOptions, type DeliverySettings } from "./delivery-settings.js";

/**
 * What every source of a group takes.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface GroupSourceOptions<P extends Payload = "string"> extends DeliveryOptions<P> {
  /**
   * The stream's key; or several; or an Observable of them, whose latest list counts: streams that are new in it are read from
   * the next read on (within `blockMs`), and those that are missing are left when nothing of them is in flight.
   */
  readonly stream: string | readonly string[] | Observable<readonly string[]>;
  readonly group: string;
  /** Unique among the living consumers of the group. @defaultValue `<host>.<pid>.<n>`, removed from the group when the source ends empty */
  readonly consumer?: string | undefined;
}

/**
 * Options of `fromGroup`.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface FromGroupOptions<P extends Payload = "string"> extends GroupSourceOptions<P> {
  /**
   * Where the group begins if it does not exist yet: `"0"` the whole stream, `"$"` what is added from now on, or an id after
   * which to begin. Required, because either default would surprise somebody. An existing group goes on where it is.
   */
  readonly startId: string;
  /** How long a read waits on the server, ms, 1 to 60 000. It waits shorter when a retry or a sweep is due. @defaultValue `2000` */
  readonly blockMs?: number | undefined;
  /**
   * How long a delivery may stay unsettled and unrenewed before another consumer claims it, ms, 100 or more. It is renewed at a
   * third of it, for as long as the process lives and its event loop turns. @defaultValue `30000`
   */
  readonly leaseMs?: number | undefined;
  /** Whether to claim what other consumers left behind. Own entries and retries are taken up in any case. @defaultValue `true` */
  readonly recover?: boolean | undefined;
  /**
   * When the group, or the whole stream, vanishes later: `"recreate"` it where this consumer was, or `"fail"` with a
   * `GroupMissingError`. @defaultValue `"recreate"`
   */
  readonly onMissingGroup?: "recreate" | "fail" | undefined;
  /**
   * `"fast"`: replies are decoded here, at a quarter of the CPU of ioredis 6, half of 5; where that can't be had the source errors.
   * `"portable"`: ioredis decodes. `"auto"`: fast where it can be had; a status `readerFellBack` says when it can't, and why.
   * @defaultValue `"auto"`
   */
  readonly reader?: ReaderKind | undefined;
}

/** Options of any source of a group checked, with their defaults. @internal */
export interface SourceSettings extends DeliverySettings {
  readonly streams: readonly string[] | Observable<readonly string[]>;
  readonly group: string;
  readonly consumer: string | undefined;
  readonly leaseMs: number;
}

/** Options of `fromGroup` checked, with their defaults. @internal */
export interface GroupSettings extends SourceSettings {
  readonly startId: string;
  readonly blockMs: number;
  readonly recover: boolean;
  readonly onMissingGroup: "recreate" | "fail";
  readonly reader: ReaderKind;
}

/** @throws RangeError or TypeError that names the option, the value and the range @internal */
export function groupSettings(options: FromGroupOptions<Payload>): GroupSettings {
  const { startId, blockMs = 2_000, leaseMs = 30_000, recover = true, onMissingGroup = "recreate", reader } = options;
  return {
    ...sourceSettings(options, durationMs("leaseMs", leaseMs, 100)),
    startId: startPosition("startId", startId),
    blockMs: durationMs("blockMs", blockMs, 1, 60_000),
    recover,
    onMissingGroup: oneOf("onMissingGroup", onMissingGroup, ["recreate", "fail"]),
    reader: readerKind(reader),
  };
}

/** @throws RangeError or TypeError that names the option, the value and the range @internal */
export function sourceSettings(options: GroupSourceOptions<Payload>, leaseMs: number): SourceSettings {
  const { stream, group, consumer } = options;
  const streams = isObservable(stream) ? stream : namedStreams(stream);
  return {
    ...deliverySettings(options, isObservable(streams) ? 1 : streams.length),
    streams,
    group: text("group", group),
    consumer: consumer === undefined ? undefined : text("consumer", consumer),
    leaseMs,
  };
}

function namedStreams(stream: string | readonly string[]): readonly string[] {
  const names = streamNames(typeof stream === "string" ? [stream] : stream);
  relation(names.length > 0, "Expected `stream` to be a name, a list of at least one name, or an Observable of lists");
  return names;
}

/** @throws RangeError or TypeError for what is no list of names that can be read together @internal */
export function streamNames(names: readonly string[]): readonly string[] {
  relation(Array.isArray(names), "Expected `stream` to be a name, a list of names, or an Observable of such lists");
  for (const name of names) streamName("stream", text("stream", name));
  relation(new Set(names).size === names.length, `Expected \`stream\` to name each stream once, got \`${names.join(", ")}\``);
  return names;
}

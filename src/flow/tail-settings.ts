import { durationMs, text } from "../model/check.js";
import { firstId, type EntryId } from "../model/entry-id.js";
import { streamName } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import { readerKind, type ReaderKind } from "../model/reader-kind.js";
import { startPosition } from "../model/start-position.js";
import { deliverySettings, type DeliveryOptions, type GrouplessSettings } from "./delivery-settings.js";

/** Where a reader keeps how far it is. @public */
export interface StoredCheckpoint {
  /** The name of the reader, its own on this stream; the key is `checkpointKey(stream, name)`. */
  readonly checkpoint: string;
  /** Where to begin when nothing is stored under this name: `"0"`, `"$"` or an id after which to begin. */
  readonly startId: string;
  /** How often it is written while it moves, ms, 10 or more; also at the end. @defaultValue `1000` */
  readonly everyMs?: number | undefined;
}

/**
 * Options of `fromStream`.
 * @typeParam P - what `payload` says; no type argument: text
 * @public
 */
export interface FromStreamOptions<P extends Payload = "string"> extends DeliveryOptions<P> {
  /** The stream's key; it may be missing yet. */
  readonly stream: string;
  /** `"0"` the whole stream, `"$"` what is added from now on, an id after which to begin, or a stored checkpoint. */
  readonly from: string | StoredCheckpoint;
  /** How long a read waits on the server, ms, 1 to 60 000. @defaultValue `2000` */
  readonly blockMs?: number | undefined;
  /**
   * `"fast"`: replies are decoded here, at a quarter of the CPU of ioredis 6, half of 5; where that can't be had the source errors.
   * `"portable"`: ioredis decodes. `"auto"`: fast where it can be had; a status `readerFellBack` says when it can't, and why.
   * @defaultValue `"auto"`
   */
  readonly reader?: ReaderKind | undefined;
}

/** Options of `fromStream` checked, with their defaults. @internal */
export interface TailSettings extends GrouplessSettings {
  readonly startId: EntryId | "$";
  readonly checkpoint: { readonly name: string; readonly everyMs: number } | undefined;
  readonly blockMs: number;
  readonly reader: ReaderKind;
}

/** @throws RangeError or TypeError that names the option, the value and the range @internal */
export function tailSettings(options: FromStreamOptions<Payload>): TailSettings {
  const { stream, from, blockMs = 2_000, reader } = options;
  return {
    ...deliverySettings(options),
    ...startOf(from),
    stream: streamName("stream", text("stream", stream)),
    blockMs: durationMs("blockMs", blockMs, 1, 60_000),
    reader: readerKind(reader),
  };
}

function startOf(from: string | StoredCheckpoint): Pick<TailSettings, "startId" | "checkpoint"> {
  const stored = typeof from === "object" ? (from as StoredCheckpoint | null) : null;
  if (stored === null) return { startId: position("from", from as string, ", or a stored checkpoint"), checkpoint: undefined };
  const { checkpoint, startId, everyMs = 1_000 } = stored;
  return {
    startId: position("from.startId", startId, ""),
    checkpoint: { name: text("from.checkpoint", checkpoint), everyMs: durationMs("from.everyMs", everyMs, 10) },
  };
}

function position(name: string, id: string, orElse: string): EntryId | "$" {
  const start = startPosition(name, id, orElse);
  return start === "0" ? firstId : start;
}

/**
 * Where a source is: `starting` until a read was answered for the first time; `reading`; `starved` for credit; `reconnecting` from the
 * first failure until a read is answered again; `draining`; and over: `drained`, `unsubscribed` or `failed`.
 * @public
 */
export type SourceState = "starting" | "reading" | "starved" | "reconnecting" | "draining" | EndState;

/** How a source may be over. @public */
export type EndState = "drained" | "unsubscribed" | "failed";

/**
 * The signs of life of a source: each tells all there is to know, so that one is enough. An age that is undefined has not begun.
 * @public
 */
export interface SourceProgress {
  /** Which subscription this is about, when one observer serves several: streams, group and consumer in one word. */
  readonly source: string;
  readonly streams: readonly string[];
  /** Undefined where it is read without a group. */
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly state: SourceState;
  /** Ms since Redis last answered a read, be it with nothing; of the reader where that is longest. */
  readonly readAgeMs: number | undefined;
  /** For how long an answer has been waited for, ms; undefined while none is: it is starved, draining, or resting. */
  readonly waitingMs: number | undefined;
  /** How long Redis may take for an answer because the read blocks, ms. */
  readonly blockMs: number;
  /** Ms since Redis last confirmed a settlement. */
  readonly settlementAgeMs: number | undefined;
  readonly unsettled: number;
  /** Ms since the oldest unsettled delivery was handed out. */
  readonly oldestMs: number | undefined;
  /** How much later something was handed out that is settled already, ms: an operator dropped the oldest, or its handler hangs. */
  readonly overtakenMs: number;
  /** The source's own `stalledAfterMs`. */
  readonly stalledAfterMs: number;
  /** Why it is `reconnecting`. */
  readonly cause?: unknown;
}

/** What one reader of a source has to say. @internal */
export interface ReaderSigns {
  readonly state: Extract<SourceState, "starting" | "reading" | "starved" | "reconnecting">;
  readonly readAgeMs: number | undefined;
  readonly waitingMs: number | undefined;
  readonly blockMs: number;
  readonly cause?: unknown;
}

/** A source of several readers is as its worst one is. @internal */
export function together(readers: readonly ReaderSigns[]): ReaderSigns {
  const worst = order.flatMap((state) => readers.filter((reader) => reader.state === state))[0];
  const ages = readers.map(({ readAgeMs }) => readAgeMs);
  const waits = readers.flatMap(({ waitingMs }) => waitingMs ?? []);
  return {
    state: worst?.state ?? "starting",
    readAgeMs: ages.length === 0 || ages.includes(undefined) ? undefined : Math.max(...(ages as number[])),
    waitingMs: waits.length === 0 ? undefined : Math.max(...waits),
    blockMs: Math.max(0, ...readers.map(({ blockMs }) => blockMs)),
    ...(worst?.cause === undefined ? {} : { cause: worst.cause }),
  };
}

const order: readonly ReaderSigns["state"][] = ["reconnecting", "starting", "reading", "starved"];

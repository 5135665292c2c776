/** What the harness asks of one process: passed as JSON in the first argument, so that a variant can also be run by hand. */
export interface Job {
  readonly url: string;
  /** Streams that hold `entries` together, with entries of `payloadBytes`; where a variant produces, what it writes to. */
  readonly streams: readonly [string, ...string[]];
  readonly group: string;
  readonly entries: number;
  /** So many of the entries pass before the clock starts. */
  readonly warmUp: number;
  readonly payloadBytes: number;
  /** The package that connects. */
  readonly client: "ioredis" | "ioredis5" | "iovalkey";
  /** Options of `fromGroup` beyond stream, group and start. */
  readonly source: object;
  /** Options of `bufferAck`. */
  readonly buffer: object;
  /** Subscriptions, or readers, in this process. */
  readonly consumers: number;
  /** Whether the handler reads each field, or nothing at all. */
  readonly reads: "nothing" | "all fields";
  /** Look at the heap so many times, with a garbage collection before each look. */
  readonly heapSamples: number;
  /** Entries per second that the producer of a latency run adds, and for how long it, or an idle run, goes on. */
  readonly rate: number;
  readonly seconds: number;
}

export const job = JSON.parse(process.argv[2] ?? "{}") as Job;

/** The names that producer, workers and report share. Every run has a stream of its own. */

export const url = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379";
export const group = "event-processors";
export const workers = ["worker-1", "worker-2", "worker-3"] as const;
export const total = 2_000;

/** Keys of a run. The braces put them in the stream's Cluster slot; the library names its own the same way. */
export const keysOf = (stream: string) =>
  ({
    stream,
    /** HASH entry id → how often its handler came to the end. */
    handled: `{${stream}}:handled`,
    /** HASH entry id → the first reason for which its handler failed. */
    failed: `{${stream}}:failed`,
    /** HASH worker → how many handlers it brought to the end. */
    shares: `{${stream}}:shares`,
    deadLetters: `{${stream}}:dlq:${group}`,
    retries: `{${stream}}:retry:${group}`,
    /** HASH entry id → when it failed first, for its dead letter. */
    failures: `{${stream}}:failures:${group}`,
  }) as const;

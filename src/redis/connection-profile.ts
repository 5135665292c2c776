/**
 * Options of the connections made from the user's client. Each line overrides a setting of theirs that would break a reader
 * or an ack; the sources are in reference to ioredis 5.11 and 6.0.
 */

/** Shared by both kinds: one wire protocol and plain replies whatever the client uses; nobody else's prefix, pipeline or mode. */
const plain = {
  protocol: 2, // ioredis 6 only; one shape of reply. Must go with replyMapping, or ioredis 6 throws
  replyMapping: "legacy",
  keyPrefix: "", // ioredis 5 leaves XGROUP and XINFO without it: the port adds it to every key itself
  stringNumbers: false,
  enableAutoPipelining: false, // would put a blocked read in front of every other command
  enableOfflineQueue: true,
  lazyConnect: false,
  maxRetriesPerRequest: null, // the pipelines decide how long to try: for ever
  commandTimeout: undefined, // would give up on BLOCK, and drop the reply of a command that goes on
  blockingTimeout: undefined, // would answer null while the read is still blocked on the server
  autoResendUnfulfilledCommands: true, // false leaves promises hanging in 5.x and 6.0.0
  monitor: false,
  readOnly: false,
  role: "master", // a replica behind a Sentinel answers with the past, and can't be written to
  disconnectTimeout: 500, // ioredis 6 would keep a process alive for 2 s after disconnecting from a server that is gone
  keepAlive: 15_000,
} as const;

/** @internal */
export const commandProfile: object = {
  ...plain,
  connectionName: "rxjs-redis-streams:commands",
  socketTimeout: 15_000, // a half-open link: nothing came for so long although commands wait
  reconnectOnError: (error: Error): 2 | false => (error.message.startsWith("READONLY") ? 2 : false), // a demoted master: find the new one, send again
};

/** How long a command connection waits before its attempt to come back, ms. @internal */
export function retryDelayMs(attempt: number): number {
  return Math.round(Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) * (0.5 + Math.random() / 2));
}

/** Never reconnects by itself: a read that ioredis sends again hides that the first reply, with its entries, is lost. @internal */
export const readerProfile: object = {
  ...plain,
  connectionName: "rxjs-redis-streams:reader",
  socketTimeout: undefined, // the reader has a watchdog of its own
  retryStrategy: null,
  reconnectOnError: null,
};

/** In a Cluster the redirections stay ioredis' affair; a lost connection reaches us, for the reason above. @internal */
export const clusterReaderProfile: object = { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, scaleReads: "master" };

/** @internal */
export const clusterCommandProfile: object = { scaleReads: "master" };

import type { EventEmitter } from "node:events";

/**
 * What the fast reader uses of an ioredis connection that is not public, described by structure. ioredis 5 and 6 have it; it is looked for
 * before it is used, and where something is missing or different, ioredis decodes as it always does.
 */

/** A command that waits for its answer. @internal */
export interface SentCommand {
  readonly args: readonly unknown[];
  resolve(reply: unknown): unknown;
}

/** The commands that were sent and not answered yet, in the order of their answers. @internal */
export interface CommandQueue {
  peekFront(): { readonly command: SentCommand } | undefined;
  shift(): unknown;
}

/** One connection to one server. @internal */
export interface NodeConnection extends Pick<EventEmitter, "on"> {
  /** Another one after each reconnection. */
  readonly commandQueue: CommandQueue;
  /** The socket, plain or TLS. */
  readonly stream?: EventEmitter;
}

type Listener = (chunk: Buffer) => void;

/** Whether it is built as the ones that are known. @internal */
export function isNodeConnection(connection: unknown): connection is NodeConnection {
  const queue = (connection as Partial<NodeConnection> | undefined)?.commandQueue as Partial<CommandQueue> | undefined;
  return typeof queue?.peekFront === "function" && typeof queue.shift === "function";
}

/** A Cluster makes a connection per node, when it needs it. @internal */
export const isClusterConnection = (connection: object): connection is Pick<EventEmitter, "on"> =>
  (connection as { isCluster?: unknown }).isCluster === true;

/** What ioredis decodes with: the only listener that a socket has when it has just connected. @internal */
export function decoderOf({ stream }: NodeConnection): { readonly stream: EventEmitter; readonly decode: Listener } | undefined {
  const listeners = typeof stream?.prependListener === "function" ? stream.listeners("data") : [];
  return listeners.length === 1 ? { stream: stream!, decode: listeners[0] as Listener } : undefined;
}

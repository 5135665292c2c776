import type { EventEmitter } from "node:events";

/**
 * What is used here of an ioredis connection that is not public, described by structure. ioredis 5 and 6 have it; it is looked for
 * before it is used, and where something is missing or different, ioredis decodes as it always does.
 */

/** A command that waits for its answer. @internal */
export interface SentCommand {
  readonly args: readonly unknown[];
  resolve(reply: unknown): unknown;
}

/** A command that ioredis has made and not sent: its bytes are what `toWritable` says whenever it is written to a socket. @internal */
export interface UnsentCommand extends SentCommand {
  readonly promise: Promise<unknown>;
  toWritable: (socket: unknown) => string | Buffer;
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

/** What ioredis decodes with: the only lasting listener that a socket has when it has just connected. The other one waits for a sign of life. @internal */
export function decoderOf({ stream }: NodeConnection): { readonly stream: EventEmitter; readonly decode: Listener } | undefined {
  if (typeof stream?.prependListener !== "function") return undefined;
  const lasting = stream.rawListeners("data").filter((listener) => !("listener" in listener)); // `once` wraps what it is given
  return lasting.length === 1 ? { stream, decode: lasting[0] as Listener } : undefined;
}

interface CommandSender {
  call(command: string, ...args: string[]): unknown;
  sendCommand(command: UnsentCommand): unknown;
}

/** Whether a connection makes commands that are caught, by connection. */
const makes = new WeakMap<object, boolean>();

/**
 * A command as the connection itself makes it, with all that its queues, redirections and traces look for; undefined when it is not built as
 * those that are known. Whoever waits for the `promise` has to send it.
 * @internal
 */
export function makeCommand(connection: object, command: string, ...args: string[]): UnsentCommand | undefined {
  let can = makes.get(connection);
  // tried with a PING, because what is not caught is sent
  if (can === undefined) makes.set(connection, (can = isSender(connection) && caught(connection, "ping") !== undefined));
  return can ? caught(connection, command, ...args) : undefined;
}

function caught(connection: object, command: string, ...args: string[]): UnsentCommand | undefined {
  let made: unknown;
  const workshop = Object.create(connection, { sendCommand: { value: (command: unknown) => (made = command) } }) as CommandSender;
  try {
    const answer = workshop.call(command, ...args);
    if (made === undefined) void Promise.resolve(answer).catch(() => undefined); // it was sent: a PING, whose answer tells nothing
  } catch {
    return undefined;
  }
  return isUnsentCommand(made) ? made : undefined;
}

const isSender = (connection: object): boolean => typeof (connection as Partial<CommandSender>).sendCommand === "function";

/** Sends what {@link makeCommand} made. @internal */
export function sendCommand(connection: object, command: UnsentCommand): Promise<unknown> {
  (connection as CommandSender).sendCommand(command);
  return command.promise;
}

function isUnsentCommand(command: unknown): command is UnsentCommand {
  const { promise, resolve, toWritable } = (command ?? {}) as Partial<UnsentCommand>;
  return promise instanceof Promise && typeof resolve === "function" && typeof toWritable === "function";
}

import type { RedisConnection } from "../client.js";
import type { Argument } from "../script.js";
import { commandHead, CommandWriter } from "./encode.js";
import { makeCommand, sendCommand } from "./ioredis-internals.js";

/** Commands of fewer words are as well encoded by ioredis. */
const many = 32;

/**
 * Sends a command, which may have thousands of words: ioredis looks at each of them several times. Connecting, queueing, redirecting and
 * decoding the answer are its affair all the same; where it is not built as is known, so is this.
 * @internal
 */
export async function callLong(connection: RedisConnection, command: string, args: readonly Argument[]): Promise<unknown> {
  const made = args.length < many ? undefined : makeCommand(connection, command, ...shownOf(command, args));
  if (made === undefined) return connection.call(command, ...args);
  let words = args;
  made.toWritable = () => encode(command, words);
  try {
    return await sendCommand(connection, made);
  } finally {
    words = []; // the command lives on for a while; an id is a piece of its entry's text (decision 33)
  }
}

function encode(command: string, args: readonly Argument[]): Buffer {
  const words = args.map((arg) => (typeof arg === "number" ? String(arg) : arg));
  return new CommandWriter().add(commandHead(command), words).end();
}

/** What ioredis gets to see of the words: enough to find a key, by which a Cluster finds the node. */
function shownOf(command: string, args: readonly Argument[]): string[] {
  const isScript = command === "eval" || command === "evalsha";
  const shown = isScript ? [args[0]!, Math.min(1, Number(args[1])), args[2]!] : [args[0]!];
  return shown.map(String);
}

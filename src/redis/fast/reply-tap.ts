import type { EventEmitter } from "node:events";
import { decoderOf, type NodeConnection, type SentCommand } from "./ioredis-internals.js";
import { ReplyFrames } from "./reply-frames.js";

/**
 * What became of a reply: nothing, it is for ioredis to decode; it was the whole answer, or the last of it; there is more of the answer to
 * come; or ioredis is to decode something else as the answer.
 * @internal
 */
export type Taken = "nothing" | "all" | "part" | Buffer;

/** Takes a reply to a command; `"nothing"` when it can't, or when the command is somebody else's. @internal */
export type TakeReply = (command: SentCommand, reply: Buffer) => Taken;

const push = ">".charCodeAt(0);

/**
 * Stands between a socket and the decoder of ioredis, from the first byte on. What comes is cut into whole replies. The one that
 * answers a command of ours is decoded here, and the command resolved and taken off ioredis' queue, as its decoder would; every other
 * reply goes to that decoder as it is, whole. So neither can ever be in the middle of what the other began.
 * @internal
 */
export class ReplyTap {
  readonly #connection: NodeConnection;
  readonly #stream: EventEmitter;
  readonly #decode: (chunk: Buffer) => void;
  readonly #take: TakeReply;
  readonly #frames = new ReplyFrames();

  /**
   * To be called when a connection has just been made: nothing has come then.
   * @returns whether it could
   */
  static attach(connection: NodeConnection, take: TakeReply): boolean {
    const decoder = decoderOf(connection);
    if (decoder === undefined) return false;
    const tap = new ReplyTap(connection, decoder, take);
    decoder.stream.prependListener("data", tap.#onData); // first: ioredis looks at its queue in later ones
    decoder.stream.removeListener("data", decoder.decode);
    return true;
  }

  private constructor(connection: NodeConnection, { stream, decode }: NonNullable<ReturnType<typeof decoderOf>>, take: TakeReply) {
    this.#connection = connection;
    this.#stream = stream;
    this.#decode = (chunk) => decode.call(stream, chunk);
    this.#take = take;
  }

  readonly #onData = (chunk: Buffer): void => {
    const rest = this.#frames.push(chunk, this.#route);
    if (rest === undefined) return;
    this.#stream.prependListener("data", this.#decode); // it will say what is wrong with the bytes
    this.#stream.removeListener("data", this.#onData);
    this.#decode(rest);
  };

  readonly #route = (reply: Buffer): void => {
    const { commandQueue } = this.#connection;
    const command = reply[0] === push ? undefined : commandQueue.peekFront()?.command; // a push answers nothing
    const taken = command === undefined ? "nothing" : this.#take(command, reply);
    if (taken === "part") return;
    if (taken !== "all") return this.#decode(taken === "nothing" ? Buffer.from(reply) : taken); // ioredis keeps parts of it
    commandQueue.shift();
    command!.resolve(null); // what it was resolved to is with whoever sent it
  };
}

/**
 * A command on a key of the user's that goes with an ack, in one atomic step; the key lies in the slot of the stream. A class, because it
 * lives as long as its delivery: decision 33.
 * @internal
 */
export class Write {
  readonly command: "XADD" | "HSET" | "HDEL" | "HINCRBY" | "INCRBY" | "SADD" | "SREM" | "ZINCRBY";
  readonly key: string;
  readonly args: readonly (string | number | Buffer)[];

  constructor(command: Write["command"], key: string, args: Write["args"]) {
    this.command = command;
    this.key = key;
    this.args = args;
  }
}

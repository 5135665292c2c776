/** A command on a key of the user's that goes with an ack, in one atomic step; the key lies in the slot of the stream. @internal */
export interface Write {
  readonly command: "XADD" | "HSET" | "HDEL" | "HINCRBY" | "INCRBY" | "SADD" | "SREM" | "ZINCRBY";
  readonly key: string;
  readonly args: readonly (string | number | Buffer)[];
}

import { ReplyEnds } from "./reply-ends.js";

/** Memory for replies that come in pieces is kept for the next one up to this size. */
const keptBytes = 4 * 1024 * 1024;
const firstBytes = 128 * 1024;

/**
 * Cuts what a connection brings into whole replies.
 * @internal
 */
export class ReplyFrames {
  readonly #ends = new ReplyEnds();
  /** The beginning of a reply whose rest is still to come. */
  #begun = Buffer.alloc(0);
  #length = 0;

  /**
   * @param take - is given each reply whole; the bytes are its own until it returns
   * @returns undefined; or, where bytes are no RESP, what was not given to anybody
   */
  push(chunk: Buffer, take: (reply: Buffer) => void): Buffer | undefined {
    for (let from = 0; from < chunk.length;) {
      const end = this.#endIn(chunk, from);
      if (end === undefined) return Buffer.concat([this.#rest, chunk.subarray(from)]);
      if (end < 0) {
        this.#keep(chunk, from, chunk.length);
        return undefined;
      }
      take(this.#length === 0 ? chunk.subarray(from, end) : this.#complete(chunk, from, end));
      from = end;
    }
    return undefined;
  }

  #endIn(chunk: Buffer, from: number): number | undefined {
    try {
      return this.#ends.next(chunk, from);
    } catch {
      return undefined;
    }
  }

  /** What has come of a reply that is not whole. */
  get #rest(): Buffer {
    return this.#begun.subarray(0, this.#length);
  }

  #complete(chunk: Buffer, from: number, end: number): Buffer {
    this.#keep(chunk, from, end);
    const reply = this.#rest;
    this.#length = 0;
    if (this.#begun.length > keptBytes) this.#begun = Buffer.alloc(0);
    return reply;
  }

  /** Twice as much memory whenever it is too small: each byte is copied about twice, however many pieces there are. */
  #keep(chunk: Buffer, from: number, end: number): void {
    const length = this.#length + end - from;
    if (length > this.#begun.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, 2 ** Math.ceil(Math.log2(length))));
      this.#begun.copy(larger, 0, 0, this.#length);
      this.#begun = larger;
    }
    chunk.copy(this.#begun, this.#length, from, end);
    this.#length = length;
  }
}

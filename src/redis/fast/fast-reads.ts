import type { StreamPage } from "../port.js";
import type { SentCommand } from "./ioredis-internals.js";
import { isError } from "./line-reply.js";
import { ReadReply, type ReadForm } from "./read-reply.js";
import type { Taken } from "./reply-tap.js";
import { tapReplies } from "./tap-replies.js";

/** A read that is to be sent, or that is under way. @internal */
export class FastRead {
  /** Its COUNT. A Buffer of its own, by which the command is known again: in ioredis' queues, and where it is sent a second time. */
  readonly count: Buffer;
  readonly form: ReadForm;
  /** What was read, when the command is resolved; undefined: it was answered the ordinary way. */
  pages: readonly StreamPage[] | undefined;

  constructor(count: number, form: ReadForm) {
    this.count = Buffer.from(String(count));
    this.form = form;
  }
}

/**
 * The reads of one connection of ioredis, or one Cluster of them, decoded here: their replies never reach its decoder. Everything else
 * does, and a reply that this does not understand as well. Connecting, queueing, redirecting and failing are ioredis' affair.
 * @internal
 */
export class FastReads {
  readonly #fellBack: (reason: string) => void;
  readonly #reply = new ReadReply();
  /** Under way, a few at most. Not a WeakMap by their COUNTs: its tables, which are old, keep what they had (decision 33). */
  readonly #reads: FastRead[] = [];
  #refusal: string | undefined;

  /**
   * @param connection - that was made just now
   * @param fellBack - told when something has to be decoded the ordinary way, and why; more than once
   */
  constructor(connection: object, fellBack: (reason: string) => void) {
    this.#fellBack = fellBack;
    tapReplies(connection, { take: this.#take, refused: () => this.#refuse() });
  }

  /** Why it can't be; undefined: nothing is known against it. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** A read that is about to be sent, which is to be forgotten in the end; undefined where it can't be. */
  expect(count: number, form: ReadForm): FastRead | undefined {
    if (this.#refusal !== undefined) return undefined;
    const read = new FastRead(count, form);
    this.#reads.push(read);
    return read;
  }

  /** It was answered, or failed: nobody asks for it any more, and what outlives it is not to keep its pages. */
  forget(read: FastRead): void {
    read.pages = undefined;
    const place = this.#reads.indexOf(read);
    if (place >= 0) this.#reads.splice(place, 1);
  }

  #refuse(): void {
    this.#refusal = "the connections of this client are not built as those of ioredis 5 and 6";
    this.#fellBack(this.#refusal);
  }

  readonly #take = ({ args }: SentCommand, reply: Buffer): Taken => {
    const read = this.#reads.find(({ count }) => args.includes(count));
    if (read === undefined) return "nothing";
    read.pages = this.#reply.decode(reply, read.form);
    if (read.pages === undefined && !isError(reply)) this.#fellBack("a reply to a read had another shape than is known");
    return read.pages === undefined ? "nothing" : "all";
  };
}

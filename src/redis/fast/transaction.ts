import type { EntryId } from "../../model/entry-id.js";
import { readExec } from "./exec-reply.js";
import { errorText, isError, textOf } from "./line-reply.js";
import type { Taken } from "./reply-tap.js";

/** Where EXEC itself says what was wrong, it is behind this. */
const aborted = /^EXECABORT Transaction discarded because of: /;

const noBytes = Buffer.alloc(0);
const string = "$".charCodeAt(0);

/**
 * MULTI, some XADDs and EXEC, which are one command to ioredis: their replies are counted here, and its one answer is made of them. That is
 * the ids; or an error as if of a single command, so that READONLY, MOVED and the like mean to ioredis what they always do.
 * @internal
 */
export class Transaction {
  /** How many XADDs there are. */
  readonly size: number;
  #bytes: Buffer;
  #ids: readonly EntryId[] | undefined;
  #answered = 0;
  /** What MULTI was answered instead of OK. */
  #refusal: string | undefined;
  /** The first of an XADD. */
  #error: string | undefined;
  /** Where there is no transaction. */
  #added: EntryId[] = [];

  constructor(bytes: Buffer, size: number) {
    this.#bytes = bytes;
    this.size = size;
  }

  /** What is to be written; it is written again when the connection broke before the answer was there. */
  begin(): Buffer {
    this.#answered = 0;
    this.#refusal = this.#error = undefined;
    this.#added = [];
    return this.#bytes;
  }

  /** The ids of what was added, in order, up to the first that could not be; undefined: it was not answered by any. */
  takeIds(): readonly EntryId[] | undefined {
    const ids = this.#ids;
    this.#ids = undefined;
    return ids;
  }

  /** Whether each command ran on its own: MULTI was allowed before, so somebody has just forbidden it. */
  get wasNone(): boolean {
    return this.#refusal !== undefined;
  }

  /** ioredis keeps a command for long enough to become old, and nothing that is large should with it. */
  forget(): void {
    this.#bytes = noBytes;
  }

  /** Takes the next reply. */
  take(reply: Buffer): Taken {
    const place = this.#answered;
    this.#answered += 1;
    if (place > this.size) return this.#end(reply);
    if (isError(reply)) return this.#note(place, errorText(reply));
    if (this.wasNone && this.#error === undefined && reply[0] === string) this.#added.push(textOf(reply) as EntryId);
    return "part";
  }

  #note(place: number, error: string): Taken {
    if (error.startsWith("ERR Protocol error")) return answer(error); // and nothing comes after that
    if (place === 0) this.#refusal = error;
    else this.#error ??= error;
    return "part";
  }

  #end(reply: Buffer): Taken {
    if (this.wasNone && this.size > 0 && (this.#added.length > 0 || this.#error === undefined)) {
      this.#ids = this.#added;
      return "all";
    }
    const error = this.#error ?? this.#refusal;
    if (error !== undefined) return answer(error);
    if (isError(reply)) return answer(errorText(reply).replace(aborted, ""));
    const result = readExec(reply);
    if (typeof result === "string") return answer(result);
    this.#ids = result;
    return "all";
  }
}

const answer = (error: string): Buffer => Buffer.from(`-${error}\r\n`, "latin1");

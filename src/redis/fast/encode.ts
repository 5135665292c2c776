/** The words that many commands begin with, encoded once. @internal */
export interface CommandHead {
  readonly size: number;
  readonly text: string;
}

const noWords: readonly never[] = [];
/** Most words are short. */
const shortLengths = Array.from({ length: 256 }, (_, length) => `$${length}\r\n`);

const longText = 16 * 1024;
const firstBytes = 128 * 1024;
/** Memory is kept for the next writer up to this size. */
const keptBytes = 4 * 1024 * 1024;
let spare: Buffer | undefined;

/** @internal */
export function commandHead(...words: readonly (string | number)[]): CommandHead {
  return { size: words.length, text: words.map((word) => encodeText(String(word))).join("") };
}

/**
 * Commands as Redis reads them (RESP), any number of them for one write. A command is one text for as long as it can be, which is turned
 * into bytes in one go: a call per word would cost more than all the rest. One text of all commands would cost the garbage collector as
 * much, which copies the thousands of pieces that it is put together from.
 * @internal
 */
export class CommandWriter {
  #bytes = spare ?? Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  constructor() {
    spare = undefined;
  }

  /** Adds one command: its head, and the words that are its own. */
  add(head: CommandHead, words: readonly (string | Buffer)[] = noWords): this {
    let text = `*${head.size + words.length}\r\n${head.text}`;
    for (const word of words) {
      if (typeof word === "string") text += encodeText(word);
      else {
        this.#writeText(`${text}$${word.length}\r\n`);
        this.#writeBytes(word);
        text = "\r\n";
      }
    }
    this.#writeText(text);
    return this;
  }

  /** All of them; it is done with then. */
  end(): Buffer {
    const all = Buffer.from(this.#bytes.subarray(0, this.#length));
    if (this.#bytes.length <= keptBytes) spare = this.#bytes;
    return all;
  }

  #writeText(text: string): void {
    this.#makeRoom(text.length < longText ? 3 * text.length : Buffer.byteLength(text)); // as long as it may be in UTF-8, or as it is
    this.#length += this.#bytes.write(text, this.#length);
  }

  #writeBytes(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    this.#length += bytes.copy(this.#bytes, this.#length);
  }

  #makeRoom(more: number): void {
    const length = this.#length + more;
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function encodeText(word: string): string {
  const length = Buffer.byteLength(word);
  return `${shortLengths[length] ?? `$${length}\r\n`}${word}\r\n`;
}

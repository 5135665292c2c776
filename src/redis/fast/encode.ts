/** The words that many commands begin with, encoded once. @internal */
export interface CommandHead {
  readonly size: number;
  readonly text: string;
  /** How many bytes more than UTF-16 units its text has. */
  readonly surplus: number;
}

/** How many bytes a text has. */
type Measure = (text: string) => number;
const inUtf8: Measure = (text) => Buffer.byteLength(text);
/** Of ASCII, which most words are: to ask for each of them would cost as much as all the rest. */
const asAscii: Measure = (text) => text.length;

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
  const text = words.map((word) => encodeText(String(word), inUtf8)).join("");
  return { size: words.length, text, surplus: Buffer.byteLength(text) - text.length };
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
    const begin = this.#length;
    if (this.#encode(head, words, asAscii) === head.surplus) return this;
    this.#length = begin; // it said the wrong length of a word
    this.#encode(head, words, inUtf8);
    return this;
  }

  /** @returns how many bytes more than UTF-16 units its texts have */
  #encode(head: CommandHead, words: readonly (string | Buffer)[], measure: Measure): number {
    let text = `*${head.size + words.length}\r\n${head.text}`;
    let surplus = 0;
    for (const word of words) {
      if (typeof word === "string") text += encodeText(word, measure);
      else {
        surplus += this.#writeText(`${text}$${word.length}\r\n`);
        this.#writeBytes(word);
        text = "\r\n";
      }
    }
    return surplus + this.#writeText(text);
  }

  /** All of them; it is done with then. */
  end(): Buffer {
    const all = Buffer.from(this.#bytes.subarray(0, this.#length));
    if (this.#bytes.length <= keptBytes) spare = this.#bytes;
    return all;
  }

  /** @returns how many bytes more than UTF-16 units it has */
  #writeText(text: string): number {
    this.#makeRoom(text.length < longText ? 3 * text.length : Buffer.byteLength(text)); // as long as it may be in UTF-8, or as it is
    const written = this.#bytes.write(text, this.#length);
    this.#length += written;
    return written - text.length;
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

function encodeText(word: string, measure: Measure): string {
  const length = measure(word);
  return `${shortLengths[length] ?? `$${length}\r\n`}${word}\r\n`;
}

/** The words that many commands begin with, encoded once. @internal */
export interface CommandHead {
  readonly size: number;
  readonly text: string;
}

const noWords: readonly never[] = [];
/** Most words are short. */
const shortLengths = Array.from({ length: 256 }, (_, length) => `$${length}\r\n`);

/** @internal */
export function commandHead(...words: readonly (string | number)[]): CommandHead {
  return { size: words.length, text: words.map((word) => encodeText(String(word))).join("") };
}

/**
 * Commands as Redis reads them (RESP), any number of them for one write. It is one text for as long as it can be, which is turned into
 * bytes in one go: a call per word would cost more than all the rest.
 * @internal
 */
export class CommandWriter {
  #text = "";
  readonly #parts: Buffer[] = [];

  /** Adds one command: its head, and the words that are its own. */
  add(head: CommandHead, words: readonly (string | Buffer)[] = noWords): this {
    let text = `${this.#text}*${head.size + words.length}\r\n${head.text}`;
    for (const word of words) {
      if (typeof word === "string") text += encodeText(word);
      else {
        this.#parts.push(Buffer.from(`${text}$${word.length}\r\n`), word);
        text = "\r\n";
      }
    }
    this.#text = text;
    return this;
  }

  /** All of them; it is done with then. */
  end(): Buffer {
    const last = Buffer.from(this.#text);
    return this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
  }
}

function encodeText(word: string): string {
  const length = Buffer.byteLength(word);
  return `${shortLengths[length] ?? `$${length}\r\n`}${word}\r\n`;
}

const [cr, lf, zero, nine] = [13, 10, 48, 57];

const [line, string, list, map, attributes] = [1, 2, 3, 4, 5] as const;
/** What the first byte of a value says about the rest of it; 0: no value begins so. */
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => kindOf(String.fromCharCode(byte)));

const noBytes = Buffer.alloc(0);

/** So many bytes before the end of a chunk its last line may not be whole. To read behind the end takes an engine out of its stride. */
const longestLength = 24;

/**
 * Finds where replies end, in RESP2 and RESP3, whatever they are and wherever a chunk of bytes breaks off. It counts the values that are
 * missing: a string is one less, a list of n is n - 1 more. Nothing is decoded, and of a string only the length is looked at.
 * @internal
 */
export class ReplyEnds {
  /** Values that are missing before the reply is over. */
  #missing = 1;
  /** Bytes of a string that are missing, with the CRLF behind it. */
  #skip = 0;
  /** A line that goes on in the next chunk. */
  #line: Buffer = noBytes;

  /**
   * @param from - where the rest of the last reply begins, or the next one
   * @returns where the reply ends in the chunk; -1 when it goes on in the next one
   * @throws Error for bytes that are no RESP: nothing can be told any more
   */
  next(chunk: Buffer, from: number): number {
    if (this.#line.length === 0) return this.#read(chunk, from);
    const end = chunk.indexOf(lf, from) + 1;
    const whole = Buffer.concat([this.#line, end === 0 ? chunk.subarray(from) : chunk.subarray(from, end)]);
    this.#line = end === 0 ? whole : noBytes;
    if (end === 0) return -1;
    return this.#read(whole, 0) < 0 ? this.#read(chunk, end) : end;
  }

  #read(chunk: Buffer, from: number): number {
    let missing = this.#missing;
    let at = from + this.#skip;
    const safe = chunk.length - longestLength;
    while (missing > 0 && at < chunk.length) {
      const begin = at;
      const kind = kinds[chunk[at]!]!;
      if (at > safe && kind !== 0 && chunk.indexOf(lf, at) < 0) {
        at = this.#keep(chunk, begin);
        break;
      }
      let number = 0;
      let byte = chunk[++at]!;
      for (; byte >= zero && byte <= nine; byte = chunk[++at]!) number = number * 10 + byte - zero;
      if (kind > line && byte === cr && chunk[at + 1] === lf) at += 2;
      else {
        const end = chunk.indexOf(lf, at) + 1;
        if (end === 0 && kind !== 0) {
          at = this.#keep(chunk, begin);
          break;
        }
        if (kind !== line) number = nullOf(kind, chunk.toString("latin1", begin + 1, end));
        at = end;
      }
      if (kind !== attributes) missing -= 1; // those stand before the value that they belong to
      if (kind === list) missing += number > 0 ? number : 0;
      else if (kind >= map) missing += 2 * number;
      else if (kind === string && number >= 0) at += number + 2;
    }
    const isOver = missing === 0 && at <= chunk.length;
    this.#missing = isOver ? 1 : missing;
    this.#skip = isOver ? 0 : Math.max(0, at - chunk.length);
    return isOver ? at : -1;
  }

  /** A line that goes on in the next chunk, of which nothing is left to be read here. */
  #keep(chunk: Buffer, begin: number): number {
    this.#line = Buffer.from(chunk.subarray(begin));
    return chunk.length;
  }
}

/** The only length that is no number. */
function nullOf(kind: number, length: string): -1 {
  if ((kind === string || kind === list) && length === "-1\r\n") return -1;
  throw new Error("The bytes are no reply of Redis");
}

function kindOf(type: string): number {
  if ("+-:_,#(".includes(type)) return line;
  if ("$=!".includes(type)) return string;
  if ("*~>".includes(type)) return list;
  if (type === "%") return map;
  return type === "|" ? attributes : 0;
}

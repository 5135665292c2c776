/**
 * So many bytes are decoded as one text that others are cut out of: a call for a few entries instead of one per value. A piece keeps
 * the whole of that text in memory, so it is no longer.
 */
const textInOne = 512;

/**
 * Texts that stand one behind the other in the same bytes, each with a place that it belongs in.
 * @internal
 */
export class TextCuts {
  #bytes!: Buffer;
  #count = 0;
  /** Where the text to be cut begins, and where the entry at hand does. */
  #from = 0;
  #entry = 0;
  readonly #targets: unknown[][] = [];
  /** Of each its place in the target, where it begins, and where it ends. */
  readonly #bounds: number[] = [];

  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#count = this.#from = this.#entry = 0;
  }

  /** An entry begins: one like the last would make the text too long, or it goes with that. */
  next(at: number): void {
    if (2 * at - this.#entry - this.#from > textInOne) {
      this.cut();
      this.#from = at;
    }
    this.#entry = at;
  }

  add(target: unknown[], place: number, from: number, to: number): void {
    const bounds = this.#bounds;
    const at = 3 * this.#count;
    this.#targets[this.#count++] = target;
    bounds[at] = place;
    bounds[at + 1] = from;
    bounds[at + 2] = to;
  }

  /** Puts all that were added where they belong. */
  cut(): void {
    const last = this.#count === 0 ? this.#from : this.#bounds[3 * this.#count - 1]!;
    const length = last - this.#from;
    const all = length <= textInOne ? this.#bytes.toString("utf8", this.#from, last) : "";
    if (all.length === length) this.#cutOut(all);
    else this.#decodeEach(); // too long, or not a unit per byte: they do not stand in the same places
    this.#count = 0;
  }

  #cutOut(all: string): void {
    const bounds = this.#bounds;
    for (let index = 0, at = 0; index < this.#count; index += 1, at += 3) {
      this.#put(index, bounds[at]!, all.slice(bounds[at + 1]! - this.#from, bounds[at + 2]! - this.#from));
    }
  }

  #decodeEach(): void {
    const bounds = this.#bounds;
    for (let index = 0, at = 0; index < this.#count; index += 1, at += 3) {
      this.#put(index, bounds[at]!, this.#bytes.toString("utf8", bounds[at + 1], bounds[at + 2]));
    }
  }

  #put(index: number, place: number, text: string): void {
    this.#targets[index]![place] = text;
    this.#targets[index] = nowhere; // else the last ones would be kept
  }
}

const nowhere: unknown[] = [];

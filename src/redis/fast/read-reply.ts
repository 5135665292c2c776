import type { EntryId } from "../../model/entry-id.js";
import type { Payload } from "../../model/payload.js";
import type { RawPairs } from "../../model/raw-pairs.js";
import type { RawEntry, StreamPage } from "../port.js";
import { isClaimed } from "../decode-reply.js";
import { FieldNames } from "../field-names.js";
import { TextCuts } from "./text-cuts.js";

const [cr, minus, zero] = [13, 45, 48];
const [list, map, string, integer, nothing] = ["*", "%", "$", ":", "_"].map((type) => type.charCodeAt(0)) as [number, number, number, number, number]; // prettier-ignore

/** What a reply is read as. @internal */
export interface ReadForm {
  /** The name of the stream behind a key. */
  readonly toName: (key: string) => string;
  /** Whether each entry says how long it was idle, and how often it was delivered before. */
  readonly claims: boolean;
  readonly payload: Payload;
}

/**
 * Decodes replies of XREADGROUP and XREAD, of RESP2 and RESP3, each given whole. It knows no other shape: for an error, or anything that
 * such a reply does not hold, it gives undefined. Nothing of the result points into the bytes that it was made from.
 * @internal
 */
export class ReadReply {
  readonly #names = new FieldNames();
  readonly #cuts = new TextCuts();
  #form!: ReadForm;
  #bytes!: Buffer;
  #at = 0;
  #claimed = 0;
  /** Where the values of the entry at hand begin and end, when they are wanted as bytes. */
  readonly #bounds: number[] = [];

  decode(reply: Buffer, form: ReadForm): readonly StreamPage[] | undefined {
    this.#bytes = reply;
    this.#form = form;
    this.#at = 0;
    this.#cuts.begin(reply);
    try {
      const pages = this.#pages();
      return this.#at === reply.length ? pages : undefined;
    } catch {
      return undefined; // of another shape, or text that is too long for this process
    }
  }

  #pages(): readonly StreamPage[] {
    if (this.#isNull()) return [];
    const isMap = this.#bytes[this.#at] === map;
    const pages: StreamPage[] = [];
    for (let streams = this.#number(isMap ? map : list); streams > 0; streams -= 1) {
      if (!isMap) expect(this.#number(list) === 2);
      const page = this.#page();
      if (page.entries.length > 0) pages.push(page);
    }
    return pages;
  }

  #page(): StreamPage {
    const stream = this.#form.toName(this.#text());
    const entries = new Array<RawEntry>(this.#number(list));
    this.#claimed = 0;
    for (let index = 0; index < entries.length; index += 1) entries[index] = this.#entry();
    this.#cuts.cut();
    return this.#form.claims ? { stream, entries, claimed: this.#claimed } : { stream, entries };
  }

  #entry(): RawEntry {
    const { claims } = this.#form;
    this.#cuts.next(this.#at);
    expect(this.#number(list) === (claims ? 4 : 2));
    const entry: [EntryId, RawPairs | null, number?] = ["" as EntryId, null];
    this.#cuts.add(entry, 0, this.#string(), this.#at - 2);
    entry[1] = this.#pairs();
    if (!claims) return entry;
    const idleMs = this.#number(integer);
    const deliveries = this.#number(integer);
    if (isClaimed(idleMs, deliveries)) this.#claimed += 1;
    entry.push(deliveries + 1);
    return entry;
  }

  #pairs(): RawPairs | null {
    if (this.#isNull()) return null;
    const count = this.#number(list);
    expect(count % 2 === 0);
    return this.#form.payload === "buffer" ? this.#buffers(count) : this.#texts(count);
  }

  #texts(count: number): readonly string[] {
    const texts = new Array<string>(count);
    for (let index = 0; index < count; index += 2) {
      const name = this.#string();
      texts[index] = this.#names.read(index >> 1, this.#bytes, name, this.#at - 2);
      this.#cuts.add(texts, index + 1, this.#string(), this.#at - 2);
    }
    return texts;
  }

  /** The bytes are copied once per entry, so that one that is kept does not keep the reply. */
  #buffers(count: number): readonly Buffer[] {
    const start = this.#at;
    const bounds = this.#bounds;
    for (let index = 0; index < count; index += 1) {
      bounds[2 * index] = this.#string() - start;
      bounds[2 * index + 1] = this.#at - 2 - start;
    }
    const copy = Buffer.from(this.#bytes.subarray(start, this.#at));
    const buffers = new Array<Buffer>(count);
    for (let index = 0; index < count; index += 1) buffers[index] = copy.subarray(bounds[2 * index], bounds[2 * index + 1]);
    return buffers;
  }

  #text(): string {
    const from = this.#string();
    return this.#bytes.toString("utf8", from, this.#at - 2);
  }

  /** Goes behind a string; where it begins. */
  #string(): number {
    const length = this.#number(string);
    expect(length >= 0);
    const from = this.#at;
    this.#at += length + 2;
    return from;
  }

  #isNull(): boolean {
    const type = this.#bytes[this.#at];
    if (type === nothing) this.#at += 3;
    else if ((type === list || type === string) && this.#bytes[this.#at + 1] === minus) this.#at += 5;
    else return false;
    return true;
  }

  /** The number behind a type, on a line of its own. */
  #number(type: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    expect(bytes[at++] === type);
    const isNegative = bytes[at] === minus;
    if (isNegative) at += 1;
    let number = 0;
    let byte = bytes[at]!;
    for (; byte >= zero; byte = bytes[++at]!) number = number * 10 + byte - zero;
    expect(byte === cr);
    this.#at = at + 2;
    return isNegative ? -number : number;
  }
}

/** There is nothing to say about what is of another shape: whoever reads it then will. */
function expect(holds: boolean): void {
  if (!holds) throw otherShape;
}
const otherShape = new Error("The reply is of another shape");

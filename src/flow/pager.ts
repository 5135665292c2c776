import { defer, from, tap, type Observable, type ObservableInput } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { RawEntry } from "../redis/port.js";

/** Goes through a range in pages, each after the last entry of the one before; a page that fails may be asked for again. @internal */
export class Pager {
  readonly #read: (after: EntryId | undefined, count: number) => ObservableInput<readonly RawEntry[]>;
  #after: EntryId | undefined;
  #isAtEnd = false;

  /** @param after - the last id that is not wanted any more; undefined: the range has not been begun */
  constructor(read: (after: EntryId | undefined, count: number) => ObservableInput<readonly RawEntry[]>, after?: EntryId) {
    this.#read = read;
    this.#after = after;
  }

  /** Whether the last page was not full: there was no more then. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  next(count: number): Observable<readonly RawEntry[]> {
    return defer(() => from(this.#read(this.#after, count))).pipe(
      tap((entries) => {
        this.#after = entries.at(-1)?.[0] ?? this.#after;
        this.#isAtEnd = entries.length < count;
      }),
    );
  }
}

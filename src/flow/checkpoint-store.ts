import { defer, EMPTY, from, ignoreElements, of, switchMap, tap, type Observable } from "rxjs";
import { EntryIdOrd, firstId, type EntryId } from "../model/entry-id.js";
import type { CheckpointRef, StreamHistory } from "../redis/port.js";

/** Where a reader's checkpoint is kept; without one it keeps nothing. @internal */
export class CheckpointStore {
  readonly #commands: StreamHistory;
  readonly #ref: CheckpointRef | undefined;
  #latest: EntryId | undefined;

  constructor(commands: StreamHistory, ref: CheckpointRef | undefined) {
    this.#commands = commands;
    this.#ref = ref;
  }

  load(): Observable<EntryId | undefined> {
    if (this.#ref === undefined) return of(undefined);
    return from(this.#commands.checkpoint(this.#ref)).pipe(tap((id) => (this.#latest = id)));
  }

  /** Writes it, unless it is there already; it never goes back. */
  move(mark: EntryId): Observable<never> {
    const ref = this.#ref;
    return defer(() => (ref === undefined || mark === this.#latest ? EMPTY : from(this.#commands.moveCheckpoint(ref, mark)))).pipe(
      tap(() => (this.#latest = mark)),
      ignoreElements(),
    );
  }

  /** What is stored if the stream has come so far; if not, it is set back to the beginning. */
  within(last: EntryId | undefined): Observable<EntryId> {
    const ref = this.#ref;
    return this.load().pipe(
      switchMap((id) => {
        if (ref === undefined || id === undefined) return of(firstId);
        return last === undefined || EntryIdOrd.compare(id, last) > 0 ? from(this.#commands.moveCheckpoint(ref, firstId, id)) : of(id);
      }),
      tap((id) => (this.#latest = id)),
    );
  }
}

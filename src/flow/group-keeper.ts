import { concat, defer, EMPTY, from, ignoreElements, map, of, switchMap, tap, type Observable } from "rxjs";
import { recreateAfter } from "../model/group-position.js";
import type { EntryId } from "../model/entry-id.js";
import type { ReadTurn } from "./read-turn.js";
import type { Session } from "./session.js";

/** Sees to it that the group exists on every stream: made when it is missing at the start, made again when it vanishes. @internal */
export class GroupKeeper {
  readonly #session: Session;
  readonly #streams: readonly string[];
  readonly #reads: ReadTurn;
  #state: "unknown" | "present" | "lost" = "unknown";

  constructor(session: Session, streams: readonly string[], reads: ReadTurn) {
    this.#session = session;
    this.#streams = streams;
    this.#reads = reads;
  }

  get mayRecreate(): boolean {
    return this.#session.settings.onMissingGroup === "recreate" || this.#state === "unknown";
  }

  lost(): void {
    if (this.#state === "present") this.#state = "lost";
  }

  ensure(): Observable<never> {
    return defer(() => {
      if (this.#state === "present") return EMPTY;
      const one = this.#state === "lost" ? this.#recreate : this.#create;
      const done = defer(() => {
        this.#state = "present";
        return EMPTY;
      });
      return concat(...this.#streams.map((stream) => one(stream)), done);
    });
  }

  /**
   * `"$"` is turned into the id it means now, so that the place is known if the group vanishes before anything was read:
   * `"$"` again would skip what came in between.
   */
  readonly #create = (stream: string): Observable<never> => {
    const { commands, settings } = this.#session;
    const ref = { stream, group: settings.group };
    const startId = settings.startId === "$" ? this.#lastId(stream).pipe(map((id) => id ?? "0-0")) : of(settings.startId);
    return startId.pipe(
      switchMap((id) =>
        from(commands.createGroup(ref, id)).pipe(
          tap((made) => made && settings.startId === "$" && this.#reads.lastSeen.set(stream, id as EntryId)),
        ),
      ),
      ignoreElements(),
    );
  };

  readonly #recreate = (stream: string): Observable<never> => {
    const { commands, ledger, settings, report } = this.#session;
    const { group } = settings;
    return this.#lastId(stream).pipe(
      map((lastGeneratedId) =>
        recreateAfter({
          lastGeneratedId,
          lastSeen: this.#reads.lastSeen.get(stream),
          oldestInFlight: ledger.oldestOf(stream),
          startId: settings.startId,
        }),
      ),
      tap(() => this.#reads.expectRepeats()),
      switchMap((startId) =>
        from(commands.createGroup({ stream, group }, startId)).pipe(
          tap((made) => made && report({ _tag: "groupRecreated", stream, group, startId })),
        ),
      ),
      ignoreElements(),
    );
  };

  #lastId(stream: string): Observable<EntryId | undefined> {
    return from(this.#session.commands.lastGeneratedId(stream));
  }
}

import { catchError, concat, defer, EMPTY, filter, from, ignoreElements, map, of, switchMap, tap, type Observable } from "rxjs";
import { recreateAfter } from "../model/group-position.js";
import type { EntryId } from "../model/entry-id.js";
import type { ReadTurn } from "./read-turn.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";

/** Sees to it that the group exists on every stream: made when it is missing at the start, made again when it vanishes. @internal */
export class GroupKeeper {
  readonly #session: Session<GroupSettings>;
  readonly #streams: readonly string[];
  readonly #reads: ReadTurn;
  /** `assumed`: it could not be made, so it may be there already; reading will tell. */
  #state: "unknown" | "assumed" | "present" | "lost" = "unknown";

  constructor(session: Session<GroupSettings>, streams: readonly string[], reads: ReadTurn) {
    this.#session = session;
    this.#streams = streams;
    this.#reads = reads;
  }

  /** False when the group was there, vanished, and is to be missed. */
  get mayRecreate(): boolean {
    return this.#session.settings.onMissingGroup === "recreate" || this.#state !== "present";
  }

  lost(): void {
    if (this.#state !== "unknown") this.#state = "lost";
  }

  ensure(): Observable<never> {
    return defer(() => {
      if (this.#state === "present" || this.#state === "assumed") return EMPTY;
      const made = concat(...this.#streams.map(this.#state === "lost" ? this.#recreate : this.#create));
      const assume = (error: unknown): Observable<never> => {
        if (this.#state === "lost" || !isRefused(error)) throw error;
        this.#state = "assumed";
        return EMPTY;
      };
      const done = defer(() => {
        if (this.#state !== "assumed") this.#state = "present";
        return EMPTY;
      });
      return concat(made.pipe(catchError(assume)), done);
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
      switchMap((startId) =>
        from(commands.createGroup({ stream, group }, startId)).pipe(
          filter(Boolean),
          tap(() => report({ _tag: "groupRecreated", stream, group, startId })),
          switchMap(() => this.#adoptRetries(stream)),
        ),
      ),
      ignoreElements(),
    );
  };

  /** What waited for a retry lost its place in the PEL with the group; the schedule still knows it. */
  #adoptRetries(stream: string): Observable<unknown> {
    const { commands, settings, consumer } = this.#session;
    const ref = { stream, group: settings.group, consumer };
    return from(commands.scheduled(ref)).pipe(switchMap((ids) => (ids.length === 0 ? EMPTY : from(commands.adopt(ref, ids)))));
  }

  #lastId(stream: string): Observable<EntryId | undefined> {
    return from(this.#session.commands.lastGeneratedId(stream));
  }
}

/** Out of memory, or not allowed to: where the group exists, neither keeps a consumer from reading. */
const isRefused = (error: unknown): boolean => error instanceof Error && /^(OOM|NOPERM) /.test(error.message);

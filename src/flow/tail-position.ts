import { concat, defer, EMPTY, from, ignoreElements, of, switchMap, tap, type Observable } from "rxjs";
import { EntryIdOrd, firstId, type EntryId } from "../model/entry-id.js";
import { lowWaterMark } from "../model/low-water-mark.js";
import { resume, type StreamEdges } from "../model/resume.js";
import type { GrouplessSession } from "./session.js";
import type { TailSettings } from "./tail-settings.js";

/** How far a reader without a group is: what it was given, and what of it is settled. @internal */
export class TailPosition {
  readonly #session: GrouplessSession<TailSettings>;
  #after: EntryId | undefined;
  /** Whether the stream is known to have reached `after`; an id of the user's may be in its future. */
  #isReached = false;
  #stored: EntryId | undefined;
  #lastGap: EntryId | undefined;

  constructor(session: GrouplessSession<TailSettings>) {
    this.#session = session;
  }

  /** The last id that was given; known once it is located. */
  get after(): EntryId {
    return this.#after ?? firstId;
  }

  advance(id: EntryId): void {
    this.#after = id;
    this.#isReached = true;
  }

  /** Finds out where to begin and, after trouble, whether the stream is still the one that was read. */
  locate(): Observable<never> {
    return concat(
      defer(() => (this.#after === undefined ? this.#begin() : EMPTY)),
      defer(() => (this.#isReached ? this.#compare() : EMPTY)),
    ).pipe(ignoreElements());
  }

  /** Stores how far everything is settled, if that has moved. */
  save(): Observable<never> {
    return defer(() => {
      const { ledger, settings } = this.#session;
      if (!this.#isReached) return EMPTY;
      const mark = lowWaterMark(this.after, ledger.outstanding(settings.stream));
      return mark === this.#stored ? EMPTY : this.#store(mark);
    });
  }

  #begin(): Observable<unknown> {
    const { commands, settings } = this.#session;
    const stored = settings.checkpoint === undefined ? of(undefined) : from(commands.checkpoint(this.#ref));
    return stored.pipe(
      switchMap((id) => {
        if (id === undefined) return this.#beginAnew(settings.startId);
        this.#stored = id;
        this.advance(id);
        return EMPTY;
      }),
    );
  }

  /** `"$"` is turned into the id it means now, and stored: neither an outage nor a crash may skip what comes meanwhile. */
  #beginAnew(startId: EntryId | "$"): Observable<unknown> {
    if (startId !== "$") {
      this.#after = startId;
      return EMPTY;
    }
    return this.#edges().pipe(
      switchMap((edges) => {
        this.advance(edges?.lastGeneratedId ?? firstId);
        return this.#store(this.after);
      }),
    );
  }

  #compare(): Observable<unknown> {
    return this.#edges().pipe(
      switchMap((edges) => {
        const found = resume(this.after, edges);
        if (found === "behind") return this.#goBack(edges);
        if (found === "gap" && this.#lastGap !== this.after) this.#reportGap(edges?.first);
        return EMPTY;
      }),
    );
  }

  #reportGap(first: EntryId | undefined): void {
    this.#lastGap = this.after;
    this.#session.report({ _tag: "gap", stream: this.#session.settings.stream, after: this.after, first });
  }

  /** To the stored checkpoint, which a failover takes back together with the stream; to the beginning where that is beyond the end as well. */
  #goBack(edges: StreamEdges | undefined): Observable<unknown> {
    const { commands, settings } = this.#session;
    const stored = settings.checkpoint === undefined ? of(undefined) : from(commands.checkpoint(this.#ref));
    const isThere = (id: EntryId): boolean => edges !== undefined && EntryIdOrd.compare(id, edges.lastGeneratedId) <= 0;
    return stored.pipe(
      switchMap((id) => {
        if (id === undefined || isThere(id)) return of(id);
        return from(commands.moveCheckpoint(this.#ref, firstId, id));
      }),
      tap((id) => {
        this.#session.report({ _tag: "rewound", stream: settings.stream, from: this.after, after: id ?? firstId });
        this.#stored = id;
        this.advance(id ?? firstId);
      }),
    );
  }

  #edges(): Observable<StreamEdges | undefined> {
    return from(this.#session.commands.edges(this.#session.settings.stream));
  }

  #store(mark: EntryId): Observable<never> {
    if (this.#session.settings.checkpoint === undefined) return EMPTY;
    return from(this.#session.commands.moveCheckpoint(this.#ref, mark)).pipe(
      tap(() => (this.#stored = mark)),
      ignoreElements(),
    );
  }

  get #ref(): { readonly stream: string; readonly name: string } {
    const { stream, checkpoint } = this.#session.settings;
    return { stream, name: checkpoint?.name ?? "" };
  }
}

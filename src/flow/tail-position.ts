import { concat, defer, EMPTY, from, ignoreElements, map, of, switchMap, tap, type Observable } from "rxjs";
import { firstId, type EntryId } from "../model/entry-id.js";
import { Landmarks } from "../model/landmarks.js";
import { lowWaterMark } from "../model/low-water-mark.js";
import { resume, type StreamEdges } from "../model/resume.js";
import { CheckpointStore } from "./checkpoint-store.js";
import type { GrouplessSession } from "./session.js";
import type { TailSettings } from "./tail-settings.js";

/** How far a reader without a group is: what it was given, and what of it is settled. @internal */
export class TailPosition {
  readonly #session: GrouplessSession<TailSettings>;
  readonly #store: CheckpointStore;
  readonly #landmarks = new Landmarks();
  #after: EntryId | undefined;
  /** Whether the stream is known to have reached `after`; an id of the user's may be in its future. */
  #isReached = false;
  #lastGap: EntryId | undefined;

  constructor(session: GrouplessSession<TailSettings>) {
    const { commands, settings } = session;
    const { stream, checkpoint } = settings;
    this.#session = session;
    this.#store = new CheckpointStore(commands, checkpoint && { stream, name: checkpoint.name });
  }

  /** The last id that was given; known once it is located. */
  get after(): EntryId {
    return this.#after ?? firstId;
  }

  /** The last id of a page. */
  advance(id: EntryId): void {
    this.#reach(id);
    this.#landmarks.add(id);
  }

  /** Finds out where to begin and, from then on, whether the stream is still the one that was read. */
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
      return this.#isReached ? this.#store.move(lowWaterMark(this.after, ledger.outstanding(settings.stream))) : EMPTY;
    });
  }

  #begin(): Observable<unknown> {
    return this.#store.load().pipe(
      switchMap((id) => {
        if (id === undefined) return this.#beginAnew(this.#session.settings.startId);
        this.#reach(id);
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
        this.#reach(edges?.lastGeneratedId ?? firstId);
        return this.#store.move(this.after);
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

  /**
   * To the last of the entries it was given that is there still: after a failover that lost the newest ones. Else to the stored
   * checkpoint. Where that is beyond the end as well, the stream is another one: to its beginning.
   */
  #goBack(edges: StreamEdges | undefined): Observable<unknown> {
    const lost = this.after;
    return this.#known(edges).pipe(
      switchMap((id) => (id === undefined ? this.#store.within(edges?.lastGeneratedId) : of(id))),
      tap((id) => {
        this.#after = id;
        this.#session.report({ _tag: "rewound", stream: this.#session.settings.stream, from: lost, after: id });
      }),
    );
  }

  #known(edges: StreamEdges | undefined): Observable<EntryId | undefined> {
    const { commands, settings } = this.#session;
    const id = edges === undefined ? undefined : this.#landmarks.goBackTo(edges.lastGeneratedId);
    if (id === undefined) return of(undefined);
    const there = from(commands.range(settings.stream, { start: id, end: id, count: 1, reverse: false }));
    return there.pipe(map((entries) => (entries.length > 0 ? id : undefined)));
  }

  #reach(id: EntryId): void {
    this.#after = id;
    this.#isReached = true;
  }

  #edges(): Observable<StreamEdges | undefined> {
    return from(this.#session.commands.edges(this.#session.settings.stream));
  }
}

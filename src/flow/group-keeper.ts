import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  from,
  ignoreElements,
  map,
  of,
  switchMap,
  tap,
  type Observable,
} from "rxjs";
import { recreateAfter } from "../model/group-position.js";
import { EntryIdOrd, type EntryId } from "../model/entry-id.js";
import { classifyError, missingGroup } from "../redis/classify-error.js";
import type { GroupRef } from "../redis/port.js";
import { Failures } from "./failures.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";

/** Sees to it that the group exists on a stream: made when it is missing at the start, made again when it vanishes. @internal */
export class GroupKeeper {
  /** The greatest id that was given here. */
  lastSeen: EntryId | undefined;
  readonly #session: Session<GroupSettings>;
  readonly #ref: GroupRef;
  /** `assumed`: it could not be made, so it may be there already; reading will tell. */
  #state: "unknown" | "assumed" | "present" | "lost" = "unknown";
  readonly #failures: Failures;
  #againAt = 0;

  constructor(session: Session<GroupSettings>, ref: GroupRef) {
    this.#session = session;
    this.#ref = ref;
    this.#failures = new Failures(session.report);
  }

  /** Whether there is a group to read from, for all that is known. */
  get isThere(): boolean {
    return this.#state === "present" || this.#state === "assumed";
  }

  /** When the next attempt is to be made, if it is not there; local time, ms. */
  get againAt(): number {
    return this.#againAt;
  }

  /** A read of the group was answered. */
  answered(): void {
    this.#failures.forget();
  }

  /** @throws GroupMissingError when it was there, and is to be missed */
  vanished(cause: unknown): void {
    const mayRecreate = this.#session.settings.onMissingGroup === "recreate" || this.#state !== "present";
    if (!mayRecreate) throw missingGroup(this.#ref, cause);
    if (this.#state !== "unknown") this.#state = "lost";
    if (this.#failures.inARow > 0) this.#postpone(cause);
    else this.#failures.addSilently();
  }

  /** Makes the group, unless it is there or the time for another attempt has not come. Errors with what cannot heal. */
  ensure(): Observable<never> {
    return defer(() => {
      if (this.isThere || this.#againAt > asyncScheduler.now()) return EMPTY;
      const made = this.#state === "lost" ? this.#recreate() : this.#create();
      const done = defer(() => {
        this.#state = "present";
        return EMPTY;
      });
      return concat(made, done).pipe(catchError((error: unknown) => this.#refused(error)));
    });
  }

  #refused(error: unknown): Observable<never> {
    if (this.#state === "unknown" && isRefused(error)) {
      this.#state = "assumed";
      return EMPTY;
    }
    const verdict = classifyError(error, this.#ref);
    if (verdict._tag === "fatal") throw verdict.error;
    this.#postpone(error);
    return EMPTY;
  }

  #postpone(cause: unknown): void {
    this.#againAt = asyncScheduler.now() + this.#failures.add(cause);
  }

  /** An id was given: true when it is not above all that were given before. */
  seen(first: EntryId, last: EntryId): boolean {
    const before = this.lastSeen;
    const isAbove = before === undefined || EntryIdOrd.compare(first, before) > 0;
    if (isAbove || EntryIdOrd.compare(last, before) > 0) this.lastSeen = last;
    return !isAbove;
  }

  /**
   * `"$"` is turned into the id it means now, so that the place is known if the group vanishes before anything was read:
   * `"$"` again would skip what came in between.
   */
  #create(): Observable<never> {
    const { commands, settings, report } = this.#session;
    const fromNow = settings.startId === "$";
    const startId = fromNow ? this.#lastId().pipe(map((id) => id ?? "0-0")) : of(settings.startId);
    return startId.pipe(
      switchMap((id) =>
        from(commands.createGroup(this.#ref, id)).pipe(
          filter(Boolean),
          tap(() => {
            if (fromNow) this.lastSeen = id as EntryId;
            report({ _tag: "groupCreated", ...this.#ref, startId: id });
          }),
        ),
      ),
      ignoreElements(),
    );
  }

  #recreate(): Observable<never> {
    const { commands, ledger, settings, report } = this.#session;
    const { stream, group } = this.#ref;
    return this.#lastId().pipe(
      map((lastGeneratedId) =>
        recreateAfter({
          lastGeneratedId,
          lastSeen: this.lastSeen,
          oldestInFlight: ledger.oldestOf(stream),
          startId: settings.startId,
        }),
      ),
      switchMap((startId) =>
        from(commands.createGroup(this.#ref, startId)).pipe(
          filter(Boolean),
          tap(() => report({ _tag: "groupRecreated", stream, group, startId })),
          switchMap(() => this.#adoptRetries()),
        ),
      ),
      ignoreElements(),
    );
  }

  /** What waited for a retry lost its place in the PEL with the group; the schedule still knows it. */
  #adoptRetries(): Observable<unknown> {
    const { commands, consumer, report } = this.#session;
    const ref = { ...this.#ref, consumer };
    return from(commands.scheduled(ref)).pipe(
      switchMap((ids) => (ids.length === 0 ? EMPTY : from(commands.adopt(ref, ids)))),
      tap((ids) => ids.length > 0 && report({ _tag: "adopted", stream: ref.stream, ids })),
    );
  }

  #lastId(): Observable<EntryId | undefined> {
    return from(this.#session.commands.lastGeneratedId(this.#ref.stream));
  }
}

/** Out of memory, or not allowed to: where the group exists, neither keeps a consumer from reading. */
const isRefused = (error: unknown): boolean => error instanceof Error && /^(OOM|NOPERM) /.test(error.message);

import {
  concatMap,
  defer,
  EMPTY,
  endWith,
  forkJoin,
  from,
  ignoreElements,
  map,
  of,
  repeat,
  retry,
  tap,
  timer,
  type Observable,
} from "rxjs";
import { StreamMissingError } from "../errors.js";
import type { AppendStatus } from "../model/append-status.js";
import type { EntryId } from "../model/entry-id.js";
import type { Retention } from "../model/retention.js";
import { withoutArguments } from "../redis/classify-error.js";
import type { NewEntry, StreamAppends } from "../redis/port.js";
import { reconnectDelayMs } from "./backoff.js";
import { unlessFatal } from "./unless-fatal.js";

/** An entry on its way to its stream. @internal */
export interface Addressed extends NewEntry {
  readonly stream: string;
  /** About how many bytes it is. */
  readonly size: number;
}

/** @internal */
export interface AppendPlan {
  readonly retention: () => Retention | undefined;
  readonly onMissingStream: "create" | "fail";
  readonly rememberMs: number;
}

/** Adds entries until they are confirmed. @internal */
export class AppendWriter {
  readonly #appends: StreamAppends;
  readonly #plan: AppendPlan;
  readonly #report: (status: AppendStatus) => void;
  #isTroubled = false;

  constructor(appends: StreamAppends, plan: AppendPlan, report: (status: AppendStatus) => void) {
    this.#appends = appends;
    this.#plan = plan;
    this.#report = report;
  }

  /** Passes on that the connection is away; commands wait for it meanwhile, in silence. */
  get outages(): Observable<never> {
    return this.#appends.broken.pipe(
      tap((outage) => this.#inTrouble({ _tag: "reconnecting", ...outage })),
      ignoreElements(),
    );
  }

  /** The ids in the order of the entries, when all of them are confirmed. Streams do not wait for each other. */
  write(entries: readonly Addressed[]): Observable<EntryId> {
    const places = new Map<string, number[]>();
    entries.forEach(({ stream }, index) => {
      const indices = places.get(stream);
      if (indices === undefined) places.set(stream, [index]);
      else indices.push(index);
    });
    if (places.size === 1) return this.#writeTo(entries[0]!.stream, entries).pipe(concatMap((ids) => ids));
    const ids = new Array<EntryId>(entries.length);
    const writes = [...places].map(([stream, indices]) =>
      this.#writeTo(
        stream,
        indices.map((index) => entries[index]!),
      ).pipe(map((added) => added.forEach((id, nth) => (ids[indices[nth]!] = id)))),
    );
    return forkJoin(writes).pipe(concatMap(() => ids));
  }

  #writeTo(stream: string, entries: readonly Addressed[]): Observable<readonly EntryId[]> {
    return defer(() => {
      const ids: EntryId[] = [];
      let failures = 0;
      const { retention, ...rest } = this.#plan;
      const attempt = defer(() =>
        from(
          this.#appends.append(stream, {
            ...rest,
            retention: retention(),
            entries: ids.length === 0 ? entries : entries.slice(ids.length),
          }),
        ),
      );
      const again = (error: unknown): Observable<unknown> => this.#heal(error, stream, (failures += 1));
      return attempt.pipe(
        tap((added) => {
          if (added.length === 0) throw new StreamMissingError(stream);
          failures = 0;
          ids.push(...added);
          this.#going();
        }),
        retry({ delay: again }),
        repeat({ delay: () => (ids.length < entries.length ? of(true) : EMPTY) }),
        ignoreElements(),
        endWith(ids),
      );
    });
  }

  #heal(error: unknown, stream: string, attempt: number): Observable<unknown> {
    return unlessFatal(error, { stream, group: "" }, () => {
      const delayMs = reconnectDelayMs(attempt);
      this.#inTrouble({ _tag: "hindered", stream, attempt, delayMs, cause: error instanceof Error ? withoutArguments(error) : error });
      return timer(delayMs);
    });
  }

  #inTrouble(status: AppendStatus): void {
    this.#isTroubled = true;
    this.#report(status);
  }

  #going(): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#report({ _tag: "appending" });
  }
}

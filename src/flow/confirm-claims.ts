import { forkJoin, from, map, of, tap, type Observable } from "rxjs";
import type { EntryId } from "../model/entry-id.js";
import type { ClaimVerdict, StreamPage } from "../redis/port.js";
import type { Place } from "./place.js";
import type { GroupSettings } from "./group-settings.js";
import type { Session } from "./session.js";

/**
 * Looks through what a read has claimed. Redis claims by idle time alone: what waits for a retry, or is in flight here after
 * all, is put back as it was, and only the rest is handed on.
 * @internal
 */
export class ConfirmClaims {
  readonly #session: Session<GroupSettings>;
  readonly #place: Place;

  constructor(session: Session<GroupSettings>, place: Place) {
    this.#session = session;
    this.#place = place;
  }

  keep(pages: readonly StreamPage[]): Observable<readonly StreamPage[]> {
    const confirmed = forkJoin(pages.map((page) => (page.claimed ? this.#confirm(page, page.claimed) : of(page))));
    return confirmed.pipe(map((all) => all.filter(({ entries }) => entries.length > 0)));
  }

  #confirm(page: StreamPage, claimed: number): Observable<StreamPage> {
    const { commands, ledger, settings, consumer } = this.#session;
    const ids = page.entries.slice(0, claimed).map(([id]) => id);
    const open = ledger.open(page.stream);
    const [inFlight, taken] = [ids.filter((id) => open.has(id)), ids.filter((id) => !open.has(id))];
    return from(commands.confirmClaims({ stream: page.stream, group: settings.group, consumer }, taken, inFlight)).pipe(
      tap((verdict) => this.#tell(page.stream, verdict)),
      map(({ retries, stale }) => withClaimed(page, claimed, new Set([...retries, ...stale]))),
    );
  }

  #tell(stream: string, { retries, stale, waiting }: ClaimVerdict): void {
    const { report } = this.#session;
    if (retries.length > 0) report({ _tag: "recovered", stream, count: retries.length, from: "retry" });
    if (stale.length > 0) report({ _tag: "recovered", stream, count: stale.length, from: "stale" });
    if (waiting > 0) this.#place.mode.rest();
  }
}

/** The page with these of its claimed entries alone. */
function withClaimed({ stream, entries }: StreamPage, claimed: number, kept: ReadonlySet<EntryId>): StreamPage {
  return { stream, entries: entries.filter(([id], index) => index >= claimed || kept.has(id)), claimed: kept.size };
}

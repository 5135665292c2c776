import { asyncScheduler, ignoreElements, interval, tap, type Observable } from "rxjs";
import { together, type EndState, type SourceProgress } from "../model/progress.js";
import type { SourceStatus } from "../model/status.js";
import type { CreditLedger } from "./credit-ledger.js";
import { ReaderState } from "./reader-state.js";

/** How often a source says how it does, ms. */
const everyMs = 1_000;

/** What of a source does not change, and the streams it begins with. @internal */
export type SourceIdentity = Pick<SourceProgress, "streams" | "group" | "consumer" | "stalledAfterMs">;

/** Reports `progress`: all the time while a source lives, and at once when it begins or ceases to work. @internal */
export class SignsOfLife {
  /** Reports for as long as it is subscribed. */
  readonly regularly: Observable<never>;
  readonly #identity: SourceIdentity;
  readonly #ledger: CreditLedger;
  readonly #report: (status: SourceStatus) => void;
  readonly #readers = new Set<ReaderState>();
  readonly #source: string;
  #followed: readonly string[] | undefined;
  #phase: "working" | "draining" | EndState = "working";

  constructor(identity: SourceIdentity, ledger: CreditLedger, report: (status: SourceStatus) => void) {
    this.#identity = identity;
    this.#ledger = ledger;
    this.#report = report;
    this.#source = nameOf(identity);
    this.regularly = interval(everyMs).pipe(
      tap(() => this.#tell()),
      ignoreElements(),
    );
  }

  /**
   * A reader that has a say in how the source does until `close` is called.
   * @param blockMs - how long its reads may block
   */
  openReader(blockMs: number): { readonly reader: ReaderState; readonly close: () => void } {
    const reader = new ReaderState(blockMs, { report: this.#report, changed: () => this.#tell() });
    this.#readers.add(reader);
    return { reader, close: () => this.#readers.delete(reader) };
  }

  /** It reads these from now on. */
  follows(streams: readonly string[]): void {
    this.#followed = streams;
  }

  /** It does not read any more, or is over. */
  enters(phase: "draining" | EndState): void {
    this.#phase = phase;
    this.#tell();
  }

  #tell(): void {
    const { unsettled, oldest, settledAt, overtakenMs } = this.#ledger;
    const now = asyncScheduler.now();
    const signs = together([...this.#readers].map((reader) => reader.signs));
    this.#report({
      _tag: "progress",
      source: this.#source,
      ...this.#identity,
      ...(this.#followed === undefined ? {} : { streams: this.#followed }),
      ...signs,
      ...(this.#followed?.length === 0 ? { state: "reading" } : {}), // there is nothing to read at the moment
      ...(this.#phase === "working" ? {} : { state: this.#phase, waitingMs: undefined }),
      settlementAgeMs: settledAt === undefined ? undefined : now - settledAt,
      unsettled,
      oldestMs: oldest === undefined ? undefined : now - oldest.since,
      overtakenMs,
    });
  }
}

/** Streams, group and consumer in one word: the same for the next subscription under the same name. */
function nameOf({ streams: [first, ...others], group, consumer }: SourceIdentity): string {
  const stream = others.length === 0 ? first : `${first}+${others.length}`;
  return [stream, group, consumer].filter((part) => part !== undefined).join("/");
}

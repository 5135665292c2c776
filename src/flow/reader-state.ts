import { asyncScheduler } from "rxjs";
import type { ReaderSigns } from "../model/progress.js";
import type { CreditLedger } from "./credit-ledger.js";
import type { SourceStatus } from "../model/status.js";

/** Whom a reader tells what. @internal */
export interface ReaderListener {
  readonly report: (status: SourceStatus) => void;
  /** It works now and did not before, or the other way round. */
  readonly changed: () => void;
}

/**
 * How one reader does. The read loop says what it does, this says so when it is news, and knows since when an answer is missing.
 * @internal
 */
export class ReaderState {
  readonly #blockMs: number;
  readonly #listener: ReaderListener;
  #announced: "nothing" | "reading" | "starved" = "nothing";
  #trouble: { readonly cause: unknown } | undefined;
  #answeredAt: number | undefined;
  #waitsSince: number | undefined = asyncScheduler.now();

  constructor(blockMs: number, listener: ReaderListener) {
    this.#blockMs = blockMs;
    this.#listener = listener;
  }

  /** A turn begins: from now on an answer is due, of a chore or of the read. */
  begins(): void {
    this.#waitsSince ??= asyncScheduler.now();
  }

  /** A read is sent. */
  reads(streams: readonly string[]): void {
    if (this.#announced !== "reading") this.#listener.report({ _tag: "reading", streams });
    this.#announced = "reading";
  }

  /** A read was answered, be it with nothing. */
  answered(): void {
    const isNews = this.#trouble !== undefined || this.#answeredAt === undefined;
    this.#trouble = undefined;
    this.#answeredAt = asyncScheduler.now();
    this.#waitsSince = undefined;
    if (isNews) this.#listener.changed();
  }

  /** The turn is over without a read. While reads fail one is missing all the same. */
  rests(): void {
    if (this.#trouble === undefined) this.#waitsSince = undefined;
  }

  /** There is no credit to read with. */
  starves({ unsettled, bytes }: Pick<CreditLedger, "unsettled" | "bytes">): void {
    this.#announced = "starved";
    this.#waitsSince = undefined;
    this.#listener.report({ _tag: "starved", unsettled, unsettledBytes: bytes?.unsettled });
  }

  /** It will be news when it reads again. */
  isInterrupted(): void {
    this.#announced = "nothing";
  }

  /** A connection is lost, or Redis refuses for the moment. */
  breaks(cause: unknown): void {
    const isNews = this.#trouble === undefined;
    this.#trouble = { cause };
    this.isInterrupted();
    if (isNews) this.#listener.changed();
  }

  get signs(): ReaderSigns {
    return {
      state: this.#state,
      readAgeMs: ageOf(this.#answeredAt),
      waitingMs: ageOf(this.#waitsSince),
      blockMs: this.#blockMs,
      ...this.#trouble,
    };
  }

  get #state(): ReaderSigns["state"] {
    if (this.#trouble !== undefined) return "reconnecting";
    if (this.#answeredAt === undefined) return "starting";
    return this.#announced === "starved" ? "starved" : "reading";
  }
}

const ageOf = (since: number | undefined): number | undefined => (since === undefined ? undefined : asyncScheduler.now() - since);

import { defer, map, of, race, Subject, take, timer, type Observable, type ObservableInput } from "rxjs";
import { groupSettings, type FromGroupOptions } from "../../src/flow/group-settings.js";
import { openSource } from "../../src/flow/open-source.js";
import { readGroups } from "../../src/flow/read-groups.js";
import type { Delivery } from "../../src/model/delivery.js";
import type { Fields } from "../../src/model/fields.js";
import { heldBy } from "../../src/model/held-delivery.js";
import type { SourceProgress } from "../../src/model/progress.js";
import type { SourceStatus } from "../../src/model/status.js";
import type { RawEntry, ReadRequest, StreamPage, TakenEntry } from "../../src/redis/port.js";
import { idOf } from "./deliveries.js";
import { FakePort, type Answers } from "./fake-port.js";
import { nowMs, record, timeline, type Recording } from "./virtual-time.js";

/** A stream that a fake server reads from: what is pushed is read once, and wakes a blocked read. */
export class Feed {
  readonly #entries: RawEntry[] = [];
  readonly #arrival = new Subject<void>();
  readonly #stream: string;

  constructor(stream = "orders") {
    this.#stream = stream;
  }

  push(...numbers: readonly number[]): void {
    this.add(numbers.map(entry));
  }

  add(entries: readonly RawEntry[]): void {
    this.#entries.push(...entries);
    this.#arrival.next();
  }

  get left(): number {
    return this.#entries.length;
  }

  /** Answers as XREADGROUP does: at once with what is there, else when something comes, else after BLOCK. */
  readonly read = ({ count, blockMs }: ReadRequest): Observable<readonly StreamPage[]> => {
    const taken = (): readonly StreamPage[] =>
      this.#entries.length === 0 ? [] : [{ stream: this.#stream, entries: this.#entries.splice(0, count) }];
    return defer(() => {
      if (this.#entries.length > 0 || blockMs === undefined) return of(taken());
      return race(this.#arrival, timer(blockMs)).pipe(take(1), map(taken));
    });
  };
}

/** An entry of so many bytes, its name included. */
export const sized = (number: number, size: number): RawEntry => [idOf(number), ["n", "x".repeat(size - 1)]];
export const entry = (number: number): RawEntry => [idOf(number), ["n", String(number)]];
export const taken = (number: number, deliveryCount = 2): TakenEntry => [idOf(number), ["n", String(number)], deliveryCount];

/** One subscription to a group over a fake port. */
export class GroupRun {
  readonly port: FakePort;
  /** What was reported, but for the signs of life. */
  readonly statuses: (SourceStatus & { readonly at: number })[] = [];
  readonly progress: (SourceProgress & { readonly at: number })[] = [];
  readonly drain: AbortController = new AbortController();
  readonly #source: Observable<Delivery<Fields>>;
  #recording: Recording<Delivery<Fields>> | undefined;

  constructor(answers: Answers = {}, options: Partial<FromGroupOptions> = {}) {
    this.port = new FakePort(answers);
    const status = {
      next: (status: SourceStatus) =>
        void (status._tag === "progress" ? this.progress : this.statuses).push({ ...status, at: nowMs() } as never),
    };
    this.#source = openSource(
      this.port,
      groupSettings({ stream: "orders", group: "shipping", startId: "0", consumer: "me", signal: this.drain.signal, status, ...options }),
      readGroups,
    );
  }

  /** Subscribes at 0, does the steps, and unsubscribes at `untilMs`. */
  play(untilMs: number, steps: Readonly<Record<number, () => void>> = {}): this {
    timeline({
      0: () => {
        this.#recording = record(this.#source);
        steps[0]?.();
      },
      ...Object.fromEntries(Object.entries(steps).filter(([at]) => at !== "0")),
      [untilMs]: () => {
        steps[untilMs]?.();
        this.recording.stop();
      },
    });
    return this;
  }

  get recording(): Recording<Delivery<Fields>> {
    return this.#recording!;
  }

  get deliveries(): Delivery<Fields>[] {
    return this.recording.values;
  }

  get ids(): string[] {
    return this.deliveries.map(({ id }) => id);
  }

  /** What a sink does when a write is confirmed. */
  settle(numbers: readonly number[], retryInMs?: number): void {
    for (const number of numbers) {
      const held = heldBy(this.#latest(number));
      held.origin.confirm([retryInMs === undefined ? { held } : { held, retryInMs }]);
    }
  }

  /** What a sink does when a decision reaches it. */
  begin(number: number): void {
    heldBy(this.#latest(number)).state = "settling";
  }

  /** The last delivery of an entry. */
  #latest(number: number): Delivery<Fields> {
    return this.deliveries.filter(({ id }) => id === idOf(number)).at(-1)!;
  }

  get tags(): string[] {
    return this.statuses.map(({ _tag }) => _tag);
  }

  status<T extends SourceStatus["_tag"]>(tag: T): (Extract<SourceStatus, { _tag: T }> & { readonly at: number })[] {
    return this.statuses.filter(({ _tag }) => _tag === tag) as never;
  }
}

/** Answers each call with the next of these, and with the last from then on. */
export function inTurn<A extends ObservableInput<unknown>>(...answers: readonly (() => A)[]): () => A {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)]!();
}

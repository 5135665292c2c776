import { defer, delay, map, Subject, race, take, timer, type Observable } from "rxjs";
import type { EntryId } from "../../src/model/entry-id.js";
import type { OrderAnswer } from "../../src/model/order.js";
import type { Decision, SettleOutcome, TakenPage } from "../../src/redis/port.js";
import { idOf } from "./deliveries.js";
import type { Answers } from "./fake-port.js";
import { nowMs } from "./virtual-time.js";

interface Pending {
  deliveries: number;
}

/** How long a command takes to arrive; it is carried out then, and lost with a process that dies before. */
const latencyMs = 1;

/** A stream with a group of one consumer in memory, as the scripts see it: what is pending, when it is due, and who waits for whom. */
export class SimulatedGroup {
  readonly acked: number[] = [];
  readonly dead: number[] = [];
  readonly #entries: (readonly string[])[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #schedule = new Map<number, number>();
  /** By entry and key: waiting for its own retry, or only for others. */
  readonly #marks = new Map<number, Map<string, "r" | "d">>();
  readonly #arrival = new Subject<void>();
  readonly #replyMs: number;
  #given = 0;

  /** @param replyMs - how long the answer to a command takes; what dies meanwhile does not know that it was carried out */
  constructor(replyMs = 0) {
    this.#replyMs = replyMs;
  }

  /** Adds an entry; they are numbered from 1. */
  add(pairs: readonly string[]): void {
    this.#entries.push(pairs);
    this.#arrival.next();
  }

  get isSettled(): boolean {
    return this.#pending.size === 0 && this.#given === this.#entries.length;
  }
  get isTidy(): boolean {
    return this.#schedule.size === 0 && this.#marks.size === 0;
  }

  readonly answers: Answers = {
    read: ({ count, blockMs, streams: [stream = ""] }) =>
      defer(() => {
        const ready = this.#given < this.#entries.length || blockMs === undefined ? timer(latencyMs) : race(this.#arrival, timer(blockMs));
        return ready.pipe(
          take(1),
          map(() => {
            const entries = this.#read(count);
            return entries.length === 0 ? [] : [{ stream, entries }];
          }),
        );
      }),
    takeDue: (_ref, max) =>
      this.#arrives(() => {
        const due = [...this.#schedule]
          .filter(([, at]) => at <= nowMs())
          .sort(([a, at], [b, other]) => at - other || (idOf(a) < idOf(b) ? -1 : 1));
        const taken = due.slice(0, max).sort(([a, at], [b, other]) => at - other || a - b);
        const page = this.#take(taken.map(([n]) => n));
        return { ...page, nextDueMs: this.#nextDueMs };
      }),
    nextDue: () => this.#arrives(() => [this.#nextDueMs]),
    takeIdle: (_ref, { max, owner, leaveAlone = [] }) =>
      this.#arrives(() => {
        if (owner === undefined) return { entries: [], deleted: [], cursor: undefined, mine: [] };
        const own = [...this.#pending.keys()].filter((n) => !this.#schedule.has(n) && !leaveAlone.includes(idOf(n))).sort((a, b) => a - b);
        return { ...this.#take(own.slice(0, max)), cursor: own.length > max ? "more" : undefined, mine: [] };
      }),
    ack: (_ref, ids) => this.#arrives(() => ids.filter((id) => this.#settle({ verb: "ack", id })).length),
    settle: (_ref, { decisions }) =>
      this.#arrives(() => decisions.map((decision): SettleOutcome => ({ _tag: this.#settle(decision) ? "done" : "notPending" }))),
    earlier: (_ref, questions) =>
      this.#arrives(() =>
        questions.map(({ key, id, above }): OrderAnswer => {
          const first = this.#waiting(key).find((n) => n < numberOf(id) && (above === undefined || n > numberOf(above)));
          const waitsMs = first === undefined ? undefined : Math.max(0, (this.#schedule.get(first) ?? 0) - nowMs());
          return { isMarked: this.#marks.get(numberOf(id))?.has(key) === true, waitsMs };
        }),
      ),
    forward: (_ref, steps) =>
      this.#arrives(() => {
        let count = 0;
        for (const { key, settled, count: most } of steps) {
          for (const id of settled) this.#unmark(numberOf(id), key);
          const waiting = this.#waiting(key).slice(0, most);
          const tried = waiting.findIndex((n) => this.#marks.get(n)!.get(key) === "r");
          for (const n of tried < 0 ? waiting : waiting.slice(0, tried)) {
            if (this.#schedule.has(n)) this.#schedule.set(n, nowMs());
            count += 1;
          }
        }
        return count;
      }),
  };

  #arrives<A>(carryOut: () => A): Observable<A> {
    return defer(() => timer(latencyMs)).pipe(map(carryOut), delay(this.#replyMs));
  }

  get #nextDueMs(): number | undefined {
    return this.#schedule.size === 0 ? undefined : Math.max(0, Math.min(...this.#schedule.values()) - nowMs());
  }

  #read(count: number): (readonly [EntryId, readonly string[]])[] {
    const from = this.#given;
    this.#given = Math.min(this.#entries.length, from + count);
    return this.#entries.slice(from, this.#given).map((pairs, index) => {
      this.#pending.set(from + index + 1, { deliveries: 1 });
      return [idOf(from + index + 1), pairs];
    });
  }

  #take(numbers: readonly number[]): TakenPage {
    const entries = numbers.flatMap((n) => {
      this.#schedule.delete(n);
      const pending = this.#pending.get(n);
      return pending === undefined ? [] : [[idOf(n), this.#entries[n - 1]!, (pending.deliveries += 1)] as const];
    });
    return { entries, deleted: [] };
  }

  #settle(decision: Decision): boolean {
    const n = numberOf(decision.id);
    const pending = this.#pending.get(n);
    if (pending === undefined) return false;
    if (decision.verb === "ack" || decision.verb === "dead") {
      this.#pending.delete(n);
      (decision.verb === "ack" ? this.acked : this.dead).push(n);
      return true;
    }
    if (decision.verb === "release") pending.deliveries -= 1;
    const marks = this.#marks.get(n) ?? new Map<string, "r" | "d">();
    for (const mark of decision.marks ?? []) marks.set(keyIn(mark), decision.verb === "retry" ? "r" : "d");
    if (marks.size > 0) this.#marks.set(n, marks);
    this.#schedule.set(n, nowMs() + (decision.delayMs ?? 0));
    return true;
  }

  /** Marked and pending, in order; marks of what is settled are forgotten on the way. */
  #waiting(key: string): number[] {
    for (const n of this.#marks.keys()) if (!this.#pending.has(n)) this.#marks.delete(n);
    return [...this.#marks].flatMap(([n, marks]) => (marks.has(key) ? [n] : [])).sort((a, b) => a - b);
  }

  #unmark(n: number, key: string): void {
    const marks = this.#marks.get(n);
    if (marks?.delete(key) === true && marks.size === 0) this.#marks.delete(n);
  }
}

/** `"7-0"` → `7`. */
export const numberOf = (id: EntryId): number => Number(id.split("-")[0]);
const keyIn = (mark: string): string => mark.slice(mark.indexOf(":") + 1, mark.lastIndexOf(":"));

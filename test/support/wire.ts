import { Observable, Subscription, timer } from "rxjs";
import type { RawEntry, ReadRequest, StreamPage } from "../../src/redis/port.js";
import { entry } from "./group-run.js";

/** A read on its way. */
interface Request {
  readonly count: number;
  readonly blockMs: number | undefined;
  readonly answer: (pages: readonly StreamPage[]) => void;
  readonly fail: (error: Error) => void;
  readonly wait: Subscription;
}

/** One connection to a stream: it carries out one read after the other, and each answer takes its time. */
export class Wire {
  /** Reads that are not answered, at most at one time. */
  most = 0;
  /** Entries that a read took whose answer nobody has heard. */
  readonly unheard: RawEntry[] = [];
  readonly #latencyMs: number;
  readonly #entries: RawEntry[] = [];
  readonly #queue: Request[] = [];
  /** What the next reads are refused with. */
  refusal: Error | undefined;

  constructor(latencyMs: number) {
    this.#latencyMs = latencyMs;
  }

  get underWay(): number {
    return this.#queue.length;
  }

  push(...numbers: readonly number[]): void {
    this.#entries.push(...numbers.map(entry));
    this.#wake();
  }

  readonly read = ({ count, blockMs }: ReadRequest): Observable<readonly StreamPage[]> =>
    new Observable((subscriber) => {
      const request: Request = {
        count,
        blockMs,
        answer: (pages) => {
          subscriber.next(pages);
          subscriber.complete();
        },
        fail: (error) => subscriber.error(error),
        wait: new Subscription(),
      };
      this.#queue.push(request);
      this.most = Math.max(this.most, this.#queue.length);
      if (this.#queue.length === 1) this.#carryOut();
      return () => this.#forget(request);
    });

  /** The head of the queue: what is there, else it blocks. */
  #carryOut(): void {
    const head = this.#queue[0];
    if (head === undefined) return;
    if (this.#entries.length > 0 || head.blockMs === undefined || this.refusal !== undefined) this.#reply(head);
    else head.wait.add(timer(head.blockMs).subscribe(() => this.#reply(head)));
  }

  #wake(): void {
    const head = this.#queue[0];
    if (head !== undefined && !head.wait.closed && this.#entries.length > 0) this.#reply(head);
  }

  #reply(head: Request): void {
    head.wait.unsubscribe();
    const { refusal } = this;
    const taken = refusal === undefined ? this.#entries.splice(0, head.count) : [];
    this.unheard.push(...taken);
    timer(this.#latencyMs).subscribe(() => {
      if (this.#queue[0] !== head) return; // the connection was dropped
      this.#queue.shift();
      for (const each of taken) this.unheard.splice(this.unheard.indexOf(each), 1);
      this.#carryOut();
      if (refusal === undefined) head.answer(taken.length === 0 ? [] : [{ stream: "orders", entries: taken }]);
      else head.fail(refusal);
    });
  }

  #forget(request: Request): void {
    request.wait.unsubscribe();
    const at = this.#queue.indexOf(request);
    if (at >= 0) this.#queue.splice(at, 1);
  }
}

import { concat, EMPTY, NEVER, Observable, of, Subject, take, throwError } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { operate } from "../../src/flow/operate.js";
import { marbles, record } from "../support/virtual-time.js";

/** Emits what comes, twice. */
const twice = <A>(): ReturnType<typeof operate<A, A>> =>
  operate<A, A>((subscriber) => ({
    next: (value) => {
      subscriber.next(value);
      subscriber.next(value);
    },
    complete: () => subscriber.complete(),
  }));

describe("operate", () => {
  it("emits what its handlers emit, for as long as its source goes", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold("                  -a----b---|");
      expectObservable(source$.pipe(twice())).toBe("-(aa)-(bb)|");
      expectSubscriptions(source$.subscriptions).toBe("^---------!");
    });
  });

  it("ends as its source does", () => {
    marbles(({ expectObservable }) => {
      expectObservable(EMPTY.pipe(twice())).toBe("|");
      expectObservable(NEVER.pipe(twice())).toBe("-");
      expectObservable(throwError(() => "error").pipe(twice())).toBe("#");
    });
  });

  it("takes what `next` throws for an error of the pipeline, and lets go of the source", () => {
    const source$ = new Subject<number>();
    const recording = record(
      source$.pipe(
        operate(() => ({
          next: () => {
            throw new TypeError("bug");
          },
          complete: () => undefined,
        })),
      ),
    );
    source$.next(1);
    expect(recording.error).toEqual(new TypeError("bug"));
    expect(source$.observed).toBe(false);
  });

  it("may delay an error", () => {
    const error = vi.fn();
    const recording = record(throwError(() => "broken").pipe(operate(() => ({ next: () => undefined, error, complete: () => undefined }))));
    expect(error).toHaveBeenCalledWith("broken");
    expect(recording.ended).toBeUndefined();
  });

  it("stops a synchronous source as soon as the subscriber has had enough, and calls nothing of its handlers then", () => {
    let emitted = 0;
    const complete = vi.fn();
    const firehose$ = new Observable<number>((subscriber) => {
      while (!subscriber.closed && emitted < 100) subscriber.next((emitted += 1));
      subscriber.complete();
    });
    const recording = record(
      firehose$.pipe(
        operate<number, number>((subscriber) => ({ next: (value) => subscriber.next(value), complete })),
        take(2),
      ),
    );
    expect(recording).toMatchObject({ values: [1, 2], ended: "complete" });
    expect(emitted).toBe(2);
    expect(complete).not.toHaveBeenCalled();
  });

  it("lets go of its source when it is unsubscribed, without completing", () => {
    const source$ = new Subject<number>();
    const complete = vi.fn();
    const recording = record(source$.pipe(operate(() => ({ next: () => undefined, complete }))));
    recording.stop();
    expect(source$.observed).toBe(false);
    expect(complete).not.toHaveBeenCalled();
  });

  it("keeps the state of each subscription apart", () => {
    const counted$ = of("a", "b").pipe(
      operate<string, number>((subscriber) => {
        let count = 0;
        return { next: () => subscriber.next((count += 1)), complete: () => subscriber.complete() };
      }),
    );
    expect(record(concat(counted$, counted$)).values).toEqual([1, 2, 1, 2]);
  });
});

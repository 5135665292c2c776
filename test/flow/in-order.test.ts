import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { EMPTY, from, NEVER, of, Subject, throwError } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { inOrder } from "../../src/flow/in-order.js";
import { marbles, record } from "../support/virtual-time.js";

/** A promise that is kept when the test says so. */
function promised<A>(): { promise: Promise<A>; keep: (value: A) => void } {
  let keep: (value: A) => void = () => undefined;
  const promise = new Promise<A>((resolve) => (keep = resolve));
  return { promise, keep };
}

describe("inOrder", () => {
  it("passes what is no promise without a delay", () => {
    expect(record(from([1, 2, 3]).pipe(inOrder()))).toMatchObject({ values: [1, 2, 3], ended: "complete" });
  });

  it("puts nothing before a promise that came earlier", async () => {
    const [first, third] = [promised<string>(), promised<string>()];
    const recording = record(of<(string | Promise<string>)[]>("0", first.promise, "2", third.promise, "4").pipe(inOrder()));
    expect(recording.values).toEqual(["0"]);
    third.keep("3");
    await Promise.resolve();
    expect(recording.values).toEqual(["0"]);
    first.keep("1");
    await vi.waitFor(() => expect(recording.ended).toBe("complete"));
    expect(recording.values).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("keeps any order, whichever promise is kept first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { maxLength: 15 }), async (scheduler, isLate) => {
        const items = isLate.map((late, index) => (late ? scheduler.schedule(Promise.resolve(index)) : index));
        const recording = record(from(items).pipe(inOrder()));
        await scheduler.waitIdle();
        await vi.waitFor(() => expect(recording.ended).toBe("complete"));
        expect(recording.values).toEqual(isLate.map((_, index) => index));
      }),
    );
  });

  it("subscribes, completes, errors and never ends as its source does", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold("-a-b-|");
      expectObservable(source$.pipe(inOrder())).toBe("-a-b-|");
      expectObservable(source$.pipe(inOrder()), "^-!").toBe("-a-");
      expectSubscriptions(source$.subscriptions).toBe(["^----!", "^-!"]);
      expectObservable(EMPTY.pipe(inOrder())).toBe("|");
      expectObservable(NEVER.pipe(inOrder())).toBe("-");
      expectObservable(throwError(() => "error").pipe(inOrder())).toBe("#");
    });
  });

  it("passes an error at once, although promises are open", async () => {
    const late = promised<number>();
    const source$ = new Subject<number | Promise<number>>();
    const recording = record(source$.pipe(inOrder()));
    source$.next(late.promise);
    source$.error("broken");
    expect(recording.error).toBe("broken");
    late.keep(1);
    await late.promise;
    expect(recording.values).toEqual([]);
  });

  it("emits nothing after it was unsubscribed", async () => {
    const late = promised<number>();
    const source$ = new Subject<number | Promise<number>>();
    const recording = record(source$.pipe(inOrder()));
    source$.next(late.promise);
    recording.stop();
    late.keep(1);
    await late.promise;
    expect(recording.values).toEqual([]);
    expect(source$.observed).toBe(false);
  });

  it("holds on to nothing it has passed on, although it never gets to the end of its queue", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const source$ = new Subject<object | Promise<object>>();
    const seen: WeakRef<object>[] = [];
    const subscription = source$.pipe(inOrder()).subscribe({ next: (item) => seen.push(new WeakRef(item)), error: () => undefined });
    let last = promised<object>();
    source$.next(last.promise);
    for (let index = 0; index < 50; index += 1) {
      const next = promised<object>();
      source$.next(next.promise); // there is always one more that waits, as on a deep backlog
      last.keep({ payload: index });
      await last.promise;
      last = next;
    }
    await vi.waitFor(() => expect(seen).toHaveLength(50));
    await new Promise(setImmediate);
    collect();
    const alive = seen.filter((item) => item.deref() !== undefined).length;
    subscription.unsubscribe();
    expect(alive).toBeLessThanOrEqual(2);
  });
});

import { NEVER, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { alongside } from "../../src/flow/alongside.js";
import { marbles, record } from "../support/virtual-time.js";

describe("alongside", () => {
  it("runs the upkeep for as long as the work goes", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const work$ = cold("  -a-b-|");
      const upkeep$ = cold<never>("----------");
      expectObservable(alongside(work$, upkeep$)).toBe("-a-b-|");
      expectSubscriptions(upkeep$.subscriptions).toBe("^----!");
      expectSubscriptions(work$.subscriptions).toBe("  ^----!");
    });
  });

  it("errors with either, and ends the other", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const work$ = cold("  -a----------");
      const upkeep$ = cold<never>("---#");
      expectObservable(alongside(work$, upkeep$)).toBe("-a-#");
      expectSubscriptions(work$.subscriptions).toBe("^--!");
      const idle$ = cold<never>("----------");
      expectObservable(alongside(cold("-a#"), idle$)).toBe("-a#");
      expectSubscriptions(idle$.subscriptions).toBe("^-!");
    });
  });

  it("goes on when the upkeep has nothing more to do", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(alongside(cold("---a|"), cold<never>("-|"))).toBe("---a|");
    });
  });

  it("begins no work when the upkeep fails at once, and completes with work that is over at once", () => {
    const work$ = new Subject<number>();
    expect(
      record(
        alongside(
          work$,
          throwError(() => "broken"),
        ),
      ).error,
    ).toBe("broken");
    expect(work$.observed).toBe(false);
    expect(record(alongside(of(1), NEVER))).toMatchObject({ values: [1], ended: "complete" });
  });

  it("ends both when it is unsubscribed", () => {
    const [work$, upkeep$] = [new Subject<number>(), new Subject<never>()];
    const recording = record(alongside(work$, upkeep$));
    recording.stop();
    expect([work$.observed, upkeep$.observed]).toEqual([false, false]);
  });
});

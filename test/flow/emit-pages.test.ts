import { EMPTY, from, NEVER, of, Subject, take, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { emitPages } from "../../src/flow/emit-pages.js";
import { marbles, record } from "../support/virtual-time.js";

describe("emitPages", () => {
  it("emits the items of each page in order", () => {
    expect(record(from([[1, 2], [], [3]]).pipe(emitPages()))).toMatchObject({ values: [1, 2, 3], ended: "complete" });
  });

  it("clears each slot before it emits its item", () => {
    const page: (number | undefined)[] = [1, 2, 3];
    const seen: unknown[] = [];
    record(of(page as number[]).pipe(emitPages()), () => seen.push([...page]));
    expect(seen).toEqual([
      [undefined, 2, 3],
      [undefined, undefined, 3],
      [undefined, undefined, undefined],
    ]);
  });

  it("stops in the middle of a page with a subscriber that had enough, and leaves the rest of it alone", () => {
    const pages$ = new Subject<number[]>();
    const page = [1, 2, 3];
    const recording = record(pages$.pipe(emitPages(), take(2)));
    pages$.next(page);
    expect(recording).toMatchObject({ values: [1, 2], ended: "complete" });
    expect(page).toEqual([undefined, undefined, 3]);
    expect(pages$.observed).toBe(false);
  });

  it("ends, errors and is unsubscribed as its source is", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold("-p----q-|", { p: ["a", "b"], q: ["c"] });
      expectObservable(source$.pipe(emitPages())).toBe("-(ab)-c-|");
      const left$ = cold("  -p----q-|", { p: ["d"], q: ["e"] });
      expectObservable(left$.pipe(emitPages()), "^--!").toBe("-d");
      expectSubscriptions(left$.subscriptions).toBe("^--!");
      expectObservable(EMPTY.pipe(emitPages())).toBe("|");
      expectObservable(NEVER.pipe(emitPages())).toBe("-");
      expectObservable(throwError(() => "error").pipe(emitPages())).toBe("#");
    });
  });
});

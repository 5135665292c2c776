import { EMPTY, from, NEVER, of, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { settle, type Flow } from "../../src/model/settlement.js";
import type { Fields } from "../../src/model/fields.js";
import { filterAck } from "../../src/operators/filter-ack.js";
import { summary, TestSource } from "../support/deliveries.js";
import { marbles, record } from "../support/virtual-time.js";

const isOdd = ({ n }: Fields): boolean => Number(n) % 2 === 1;

describe("filterAck", () => {
  it("passes what the predicate accepts and acks the rest as filtered, in order", () => {
    const recording = record(from(new TestSource().many(4)).pipe(filterAck(isOdd)));
    expect(recording.values.map(summary)).toEqual(['1-0 = {"n":"1"}', "2-0 ack filtered", '3-0 = {"n":"3"}', "4-0 ack filtered"]);
    expect(recording.ended).toBe("complete");
  });

  it("passes the delivery itself on, not a copy", () => {
    const delivery = new TestSource().one("1-0");
    expect(record(of(delivery).pipe(filterAck(() => true))).values[0]).toBe(delivery);
  });

  it("gives the predicate the value and the delivery", () => {
    const delivery = new TestSource().one("1-0", {}, 7).map(() => "value");
    const seen: unknown[] = [];
    record(of(delivery).pipe(filterAck((...args) => seen.push(args) > 0)));
    expect(seen).toEqual([["value", delivery]]);
  });

  it("does not look at what is settled already", () => {
    const settled = settle.retry(new TestSource().one("1-0"), { delayMs: 5 });
    const recording = record(of<Flow<Fields>>(settled).pipe(filterAck(() => expect.unreachable())));
    expect(recording.values).toEqual([settled]);
  });

  it("makes a dead letter of what its predicate throws for", () => {
    const recording = record(
      from(new TestSource().many(2)).pipe(
        filterAck(({ n }) => {
          if (n === "1") throw new Error("no such field");
          return true;
        }),
      ),
    );
    expect(recording.values.map(summary)).toEqual(["1-0 dead no such field", '2-0 = {"n":"2"}']);
  });

  it.each(["resolves", "rejects"])("makes a dead letter of a promise, which is always true, whether it %s or not", (how) => {
    const answer = (): unknown => (how === "resolves" ? Promise.resolve(false) : Promise.reject(new Error("late")));
    const recording = record(of(new TestSource().one("1-0")).pipe(filterAck(() => answer() as boolean)));
    expect(summary(recording.values[0]!)).toMatch(/^1-0 dead Expected the predicate of filterAck to answer at once/);
  });

  it("follows its source in completion, error and silence, and can be unsubscribed", () => {
    const [one] = new TestSource().many(1);
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      expectObservable(EMPTY.pipe(filterAck(() => true))).toBe("|");
      expectObservable(NEVER.pipe(filterAck(() => true))).toBe("-");
      expectObservable(throwError(() => "error").pipe(filterAck(() => true))).toBe("#");
      const source$ = hot("-1-1-1-|", { 1: one! });
      expectObservable(source$.pipe(filterAck(() => true)), "^---!").toBe("-1-1-", { 1: one! });
      expectSubscriptions(source$.subscriptions).toBe("^---!");
    });
  });

  it("refuses what is no function when it is called", () => {
    expect(() => filterAck("yes" as never)).toThrow(/^Expected `predicate` to be a function/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineSettlements } from "../../src/model/combine-settlements.js";
import type { Settlement } from "../../src/model/settlement.js";

const processed: Settlement = { _tag: "Ack", reason: "processed" };
const filtered: Settlement = { _tag: "Ack", reason: "filtered" };
const duplicate: Settlement = { _tag: "Ack", reason: "duplicate" };
const release: Settlement = { _tag: "Release" };
const later = (delayMs: number): Settlement => ({ _tag: "Release", delayMs });
const retry = (delayMs: number, cause = ""): Settlement => ({ _tag: "Retry", delayMs, cause });
const dead = (cause: string): Settlement => ({ _tag: "DeadLetter", cause });

describe("combineSettlements", () => {
  it.each<readonly [readonly [Settlement, ...Settlement[]], Settlement]>([
    [[processed], processed],
    [[filtered, processed], processed],
    [[filtered, duplicate], filtered],
    [[processed, release], release],
    [[release, retry(1)], retry(1)],
    [[retry(5), retry(7), retry(6)], retry(7)],
    [[retry(5, "a"), retry(5, "b")], retry(5, "a")],
    [[release, later(5), processed, later(9), release], later(9)],
    [[later(0), release], later(0)],
    [[release, later(0)], later(0)],
    [[later(9), retry(5, "a")], retry(9, "a")],
    [[later(9), dead("a")], dead("a")],
    [[retry(9), dead("a"), processed], dead("a")],
    [[dead("a"), dead("b")], dead("a")],
  ])("of %j makes %j", (all, expected) => expect(combineSettlements(all)).toEqual(expected));

  it("takes a kind that is among them, and the same one and delay in whatever order they come", () => {
    const any = fc.constantFrom(processed, filtered, duplicate, release, later(0), later(3), retry(1), retry(2), dead("a"));
    const kindAndDelay = (settlement: Settlement): unknown => [settlement._tag, "delayMs" in settlement ? settlement.delayMs : undefined];
    fc.assert(
      fc.property(fc.array(any, { minLength: 1 }), (all) => {
        const one = combineSettlements(all as [Settlement, ...Settlement[]]);
        expect(all.map(({ _tag }) => _tag)).toContain(one._tag);
        expect(kindAndDelay(combineSettlements([...all].reverse() as [Settlement, ...Settlement[]]))).toEqual(kindAndDelay(one));
      }),
    );
  });
});

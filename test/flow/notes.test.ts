import { describe, expect, it } from "vitest";
import { Notes } from "../../src/flow/notes.js";
import { heldBy } from "../../src/model/held-delivery.js";
import { TestSource } from "../support/deliveries.js";

describe("Notes", () => {
  it("keep what each of several operators has noted of a delivery apart", () => {
    const source = new TestSource();
    const [one, other] = [heldBy(source.one("1-0")), heldBy(source.one("2-0"))];
    const [first, second] = [new Notes(), new Notes()];
    const [a, b, c] = [{ by: first }, { by: second }, { by: first }];
    first.set(one, a);
    second.set(one, b);
    expect([first.get(one), second.get(one), first.get(other)]).toEqual([a, b, undefined]);
    first.set(one, c);
    expect([first.get(one), second.get(one)]).toEqual([c, b]);
    expect([first.delete(other), second.delete(other)]).toEqual([false, false]);
    expect([first.delete(one), first.delete(one), first.get(one), second.get(one)]).toEqual([true, false, undefined, b]);
    second.set(one, b);
    expect([second.delete(one), second.get(one)]).toEqual([true, undefined]);
  });
});

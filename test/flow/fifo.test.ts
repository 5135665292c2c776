import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo } from "../../src/flow/fifo.js";

describe("Fifo", () => {
  it("is empty at the beginning", () => {
    const fifo = new Fifo<number>();
    expect(fifo.size).toBe(0);
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.size).toBe(0);
  });

  it("behaves as an array, for any pushes and shifts", () => {
    const bursts = fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 20 });
    fc.assert(
      fc.property(bursts, (runs) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        let next = 0;
        for (const [pushes, shifts] of runs) {
          for (let index = 0; index < pushes; index += 1) {
            fifo.push(next);
            model.push(next++);
          }
          for (let index = 0; index < shifts; index += 1) expect(fifo.shift()).toBe(model.shift());
          expect(fifo.size).toBe(model.length);
        }
      }),
    );
  });

  it("counts undefined as an item", () => {
    const fifo = new Fifo<undefined>();
    fifo.push(undefined);
    expect(fifo.size).toBe(1);
    fifo.shift();
    expect(fifo.size).toBe(0);
  });

  it("takes from a long queue as quickly as from a short one", () => {
    const fifo = new Fifo<number>();
    for (let index = 0; index < 200_000; index += 1) fifo.push(index);
    let sum = 0;
    for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) sum += item;
    expect(sum).toBe((200_000 * 199_999) / 2);
  });

  it("holds on to nothing it has given away", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const fifo = new Fifo<object>();
    const given = giveAway(fifo);
    await new Promise(setImmediate); // a WeakRef keeps its target to the end of the job
    collect();
    expect(given.deref()).toBeUndefined();
    expect(fifo.size).toBe(1);
  });
});

/** In a function of its own, so that nothing stays on the stack. */
function giveAway(fifo: Fifo<object>): WeakRef<object> {
  fifo.push({ large: "payload" });
  fifo.push({ next: "payload" });
  return new WeakRef(fifo.shift()!);
}

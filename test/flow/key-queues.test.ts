import { describe, expect, it } from "vitest";
import { KeyQueues } from "../../src/flow/key-queues.js";
import type { Delivery } from "../../src/model/delivery.js";
import { heldBy } from "../../src/model/held-delivery.js";
import { TestSource } from "../support/deliveries.js";

describe("KeyQueues", () => {
  it("feeds one of a key at a time, and the queue of a key that has none here keeps nothing of the last", () => {
    const fed: Delivery<unknown>[] = [];
    const queues = new KeyQueues<unknown>((_, delivery) => fed.push(delivery));
    const [first, second] = new TestSource().many(2);
    queues.add("a", 0, first!);
    queues.add("a", 0, second!);
    expect(fed).toEqual([first]);
    queues.leave(heldBy(first!));
    expect(fed).toEqual([first, second]);
    const queue = heldBy(second!).note as unknown as { front: unknown };
    expect(queue.front).toBe(heldBy(second!));
    queues.leave(heldBy(second!));
    expect(queue.front).toBeUndefined(); // tables that the Map has left behind still have the queue
  });
});

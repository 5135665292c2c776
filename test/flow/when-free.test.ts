import { describe, expect, it, vi } from "vitest";
import { whenFree } from "../../src/flow/when-free.js";
import { TestSource } from "../support/deliveries.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";

function waiting(window: number): {
  source: TestSource;
  settleAt: (count: number) => () => void;
  starved: ReturnType<typeof vi.fn>;
  begin: () => void;
  end: () => Recording<never>;
} {
  const source = new TestSource({ window });
  const deliveries = source.many(window);
  const starved = vi.fn();
  let recording: Recording<never> | undefined;
  return {
    source,
    settleAt: (count) => () => source.ledger.confirm(deliveries.splice(0, count).map((held) => ({ held }))),
    starved,
    begin: () => (recording = record(whenFree(source.ledger, starved))),
    end: () => recording!,
  };
}

describe("whenFree", () => {
  it("completes at once when there is credit", () => {
    const starved = vi.fn();
    expect(record(whenFree(new TestSource({ window: 1 }).ledger, starved)).ended).toBe("complete");
    expect(starved).not.toHaveBeenCalled();
  });

  it("completes at once when a quarter of the window comes back", () => {
    const { begin, end, settleAt } = waiting(8);
    timeline({ 0: begin, 30: settleAt(2) });
    expect(end().endedAt).toBe(30);
  });

  it("collects drops for 2 ms, so that reads stay large", () => {
    const { begin, end, settleAt } = waiting(100);
    timeline({ 0: begin, 30: settleAt(1), 31: settleAt(1) });
    expect(end().endedAt).toBe(32);
  });

  it("collects no longer than it takes to have a quarter of the window", () => {
    const { begin, end, settleAt } = waiting(8);
    timeline({ 0: begin, 30: settleAt(1), 31: settleAt(1) });
    expect(end().endedAt).toBe(31);
  });

  it("says that the source is starved after 100 ms, once", () => {
    const { begin, end, settleAt, starved } = waiting(4);
    timeline({
      0: begin,
      99: () => expect(starved).not.toHaveBeenCalled(),
      101: () => expect(starved).toHaveBeenCalledTimes(1),
      500: settleAt(1),
    });
    expect(end().endedAt).toBe(500);
    expect(starved).toHaveBeenCalledTimes(1);
  });

  it("says nothing of it when credit comes back in time", () => {
    const { begin, settleAt, starved } = waiting(4);
    timeline({ 0: begin, 90: settleAt(1) });
    expect(starved).not.toHaveBeenCalled();
  });

  it("leaves no timer behind when it is unsubscribed", () => {
    vi.useFakeTimers();
    const { begin, end } = waiting(4);
    begin();
    expect(vi.getTimerCount()).toBe(1);
    end().stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

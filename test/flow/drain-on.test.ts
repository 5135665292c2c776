import { describe, expect, it } from "vitest";
import { drainOn } from "../../src/flow/drain-on.js";

/** As if the process got the signal. */
const send = (signal: NodeJS.Signals): boolean => process.emit(signal, signal);
const listeners = (): number => process.listenerCount("SIGUSR2") + process.listenerCount("SIGWINCH");

describe("drainOn", () => {
  it("aborts on the first of its signals, and says which it was", () => {
    const before = listeners();
    const signal = drainOn("SIGUSR2", "SIGWINCH");
    expect(signal.aborted).toBe(false);
    expect(listeners()).toBe(before + 2);
    send("SIGWINCH");
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toEqual(new Error("SIGWINCH received: draining"));
    expect(listeners()).toBe(before);
  });

  it("makes independent signals", () => {
    const [one, other] = [drainOn("SIGUSR2"), drainOn("SIGWINCH")];
    send("SIGUSR2");
    expect([one.aborted, other.aborted]).toEqual([true, false]);
    send("SIGWINCH");
    expect(other.aborted).toBe(true);
  });

  it("refuses to listen to nothing", () => {
    expect(() => drainOn()).toThrow(new RangeError('Expected `signals` to name at least one process signal, such as "SIGTERM"'));
  });

  it("leaves nothing behind when Node does not know a signal", () => {
    const before = listeners();
    expect(() => drainOn("SIGKILL")).toThrow();
    expect(listeners()).toBe(before);
  });
});

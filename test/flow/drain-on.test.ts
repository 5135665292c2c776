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
    send("SIGUSR2"); // the supervisor's, after a person's: no effect
    expect(signal.reason).toEqual(new Error("SIGWINCH received: draining"));
    expect(listeners()).toBe(before);
  });

  it("leaves a second signal of the same kind its ordinary effect", () => {
    const before = process.listenerCount("SIGUSR2");
    const signal = drainOn("SIGUSR2");
    send("SIGUSR2");
    expect(signal.aborted).toBe(true);
    expect(process.listenerCount("SIGUSR2")).toBe(before);
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

  it("leaves no listener behind when one of its signals can't be listened to: it would swallow the others", () => {
    const before = listeners();
    expect(() => drainOn("SIGUSR2", "SIGKILL")).toThrow(); // nobody can listen to SIGKILL
    expect(listeners()).toBe(before);
  });
});

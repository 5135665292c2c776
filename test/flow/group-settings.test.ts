import { describe, expect, it } from "vitest";
import { groupSettings, type FromGroupOptions } from "../../src/flow/group-settings.js";

const required: FromGroupOptions = { stream: "orders", group: "shipping", startId: "0" };
const check = (options: Partial<Record<keyof FromGroupOptions, unknown>>): ReturnType<typeof groupSettings> =>
  groupSettings({ ...required, ...options } as FromGroupOptions);

describe("groupSettings", () => {
  it("has a default for all but stream, group and startId", () => {
    expect(groupSettings(required)).toEqual({
      streams: ["orders"],
      group: "shipping",
      startId: "0",
      consumer: undefined,
      maxInFlight: 2_000,
      maxInFlightBytes: undefined,
      payload: "string",
      blockMs: 2_000,
      leaseMs: 30_000,
      recover: true,
      onMissingGroup: "recreate",
      reader: "auto",
      signal: undefined,
      drainTimeoutMs: 25_000,
      stalledAfterMs: 60_000,
      status: undefined,
    });
  });

  it("takes undefined as the default", () => {
    const names = ["consumer", "maxInFlight", "maxInFlightBytes", "payload", "blockMs", "leaseMs", "recover", "onMissingGroup", "reader", "signal", "drainTimeoutMs", "stalledAfterMs", "status"]; // prettier-ignore
    expect(check(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(groupSettings(required));
  });

  it.each(["0", "$", "5-0", "1526919030474-55"])("begins at %s", (startId) => expect(check({ startId }).startId).toBe(startId));

  it("takes several streams", () => expect(check({ stream: ["a", "{b}:c"] }).streams).toEqual(["a", "{b}:c"]));

  it.each<readonly [Partial<Record<keyof FromGroupOptions, unknown>>, RegExp]>([
    [{ stream: undefined }, /`stream`/],
    [{ stream: "" }, /^Expected `stream` to be a string that is not empty/],
    [{ stream: [] }, /^Expected `stream` to be a name, a list of at least one name, or an Observable of lists/],
    [{ stream: ["a", "a"] }, /^Expected `stream` to name each stream once, got `a, a`/],
    [{ stream: ["a", 5] }, /^Expected `stream` to be a string, got `5`/],
    [{ stream: "orders}" }, /^Expected `stream` to have a whole hash tag/],
    [{ group: "" }, /^Expected `group`/],
    [{ group: undefined }, /^Expected `group` to be a string, got `undefined`/],
    [{ startId: undefined }, /^Expected `startId`/],
    [{ startId: "5" }, /^Expected `startId` to be "0", "\$" or an id "<ms>-<seq>", got `5`/],
    [{ startId: ">" }, /^Expected `startId`/],
    [{ consumer: "" }, /^Expected `consumer`/],
    [{ maxInFlight: 0 }, /^Expected `maxInFlight` to be an integer from 1 to 1000000/],
    [{ maxInFlight: 1_000_001 }, /^Expected `maxInFlight`/],
    [{ maxInFlight: 1, stream: ["a", "b"] }, /^Expected `maxInFlight` to be at least the number of streams \(2\), got `1`/],
    [{ maxInFlightBytes: 0 }, /^Expected `maxInFlightBytes` to be an integer of 1 or more, got `0`/],
    [{ maxInFlightBytes: "8 MB" }, /^Expected `maxInFlightBytes`/],
    [{ payload: "binary" }, /^Expected `payload` to be one of "string", "buffer", got `"binary"`/],
    [{ reader: "slow" }, /^Expected `reader` to be one of "auto", "fast", "portable", got `"slow"`/],
    [{ blockMs: 0 }, /^Expected `blockMs` to be an integer from 1 to 60000/],
    [{ blockMs: 60_001 }, /^Expected `blockMs`/],
    [{ leaseMs: 99 }, /^Expected `leaseMs` to be an integer from 100 to 2147483647/],
    [{ leaseMs: Infinity }, /^Expected `leaseMs`/],
    [{ onMissingGroup: "ignore" }, /^Expected `onMissingGroup` to be one of "recreate", "fail"/],
    [{ drainTimeoutMs: -1 }, /^Expected `drainTimeoutMs`/],
    [{ stalledAfterMs: 0 }, /^Expected `stalledAfterMs`/],
    [{ signal: new AbortController() }, /^Expected `signal` to be an AbortSignal/],
  ])("refuses %j", (options, message) => expect(() => check(options)).toThrow(message));

  // Node's timers hold 31 bits and fire at once for more: a drain that may take "for ever" would be over at once
  it.each(["leaseMs", "drainTimeoutMs", "stalledAfterMs"])("refuses a %s that no timer can wait for", (name) => {
    expect(() => check({ [name]: 2 ** 40 })).toThrow(RangeError);
  });
});

import { describe, expect, it } from "vitest";
import { toEntryId } from "../../src/model/entry-id.js";
import { recreateAfter, type LostPosition } from "../../src/model/group-position.js";

const lost: LostPosition = { lastGeneratedId: toEntryId("100-0"), lastSeen: undefined, oldestInFlight: undefined, startId: "5-0" };

describe("recreateAfter", () => {
  it("begins where the group was to begin when nothing was seen", () => expect(recreateAfter(lost)).toBe("5-0"));

  it("goes on after what was seen when nothing is in flight", () => {
    expect(recreateAfter({ ...lost, lastSeen: toEntryId("50-3") })).toBe("50-3");
  });

  it("goes back to before what is in flight", () => {
    expect(recreateAfter({ ...lost, lastSeen: toEntryId("50-3"), oldestInFlight: toEntryId("40-0") })).toBe("39-18446744073709551615");
  });

  it("goes back to before what is in flight although nothing new was seen: it was recovered", () => {
    expect(recreateAfter({ ...lost, oldestInFlight: toEntryId("2-7") })).toBe("2-6");
  });

  it.each([undefined, toEntryId("50-3")])("begins at the beginning when the stream is gone (seen: %s)", (lastSeen) => {
    expect(recreateAfter({ ...lost, lastGeneratedId: undefined, lastSeen, oldestInFlight: toEntryId("40-0") })).toBe("0");
  });

  it("begins at the beginning when the stream is a new one, whose ids are below what was seen", () => {
    expect(
      recreateAfter({ ...lost, lastGeneratedId: toEntryId("9-0"), lastSeen: toEntryId("10-0"), oldestInFlight: toEntryId("8-0") }),
    ).toBe("0");
  });

  it("goes on when the last id is the one that was seen last", () => {
    expect(recreateAfter({ ...lost, lastSeen: toEntryId("100-0") })).toBe("100-0");
  });
});

import { describe, expect, it } from "vitest";
import { toEntryId } from "../../src/model/entry-id.js";
import { toPendingEntry } from "../../src/model/pending.js";

const id = toEntryId("1-0");

describe("toPendingEntry", () => {
  it("keeps what Redis says of an entry that somebody owns", () => {
    expect(toPendingEntry(id, "me", 0, 1)).toEqual({ _tag: "PendingEntry", id, consumer: "me", idleMs: 0, deliveryCount: 1 });
    expect(toPendingEntry(id, "", 5, 1)).toMatchObject({ consumer: "", idleMs: 5 });
  });

  it("has neither an owner nor an idle time for an entry that XNACK took from its owner", () => {
    expect(toPendingEntry(id, "", -1, 3)).toMatchObject({ consumer: undefined, idleMs: Infinity, deliveryCount: 3 });
  });

  it("stops counting where a number would be wrong", () => {
    expect(toPendingEntry(id, "", -1, 9_223_372_036_854_776_000)).toMatchObject({ deliveryCount: Number.MAX_SAFE_INTEGER });
  });
});

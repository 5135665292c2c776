import { describe, expect, it } from "vitest";
import type { EntryId } from "../../src/model/entry-id.js";
import { resume, type StreamEdges } from "../../src/model/resume.js";

const edges = (lastGeneratedId: string, first?: string, maxDeletedId = "0-0"): StreamEdges => ({
  lastGeneratedId: lastGeneratedId as EntryId,
  first: first as EntryId | undefined,
  maxDeletedId: maxDeletedId as EntryId,
});

describe("resume", () => {
  it.each<[string, string, StreamEdges | undefined, string]>([
    ["at the end", "9-0", edges("9-0", "1-0"), "onward"],
    ["in the middle", "5-0", edges("9-0", "1-0"), "onward"],
    ["at the end of a stream that was emptied", "9-0", edges("9-0", undefined, "9-0"), "onward"],
    ["before everything, of a stream that is missing", "0-0", undefined, "onward"],
    ["before everything, of a stream that was trimmed", "0-0", edges("9-0", "5-0"), "onward"],
    ["made from the first entry there is", "4-18446744073709551615", edges("9-0", "5-0"), "onward"],
    ["before what was trimmed", "3-0", edges("9-0", "5-0"), "gap"],
    ["before all of an emptied stream", "3-0", edges("9-0"), "gap"],
    ["before what was deleted", "3-0", edges("9-0", "1-0", "4-0"), "gap"],
    ["behind what was deleted", "5-0", edges("9-0", "1-0", "4-0"), "onward"],
    ["made from an entry that was trimmed", "4-18446744073709551615", edges("9-0", "5-1"), "gap"],
    ["beyond the end, by number", "10-0", edges("9-0", "1-0"), "behind"],
    ["of a stream that is missing", "3-0", undefined, "behind"],
  ])("%s", (_, after, found, expected) => expect(resume(after as EntryId, found)).toBe(expected));
});

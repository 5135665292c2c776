import { describe, expect, it } from "vitest";
import type { ClaimedKey } from "../../src/model/claim.js";
import type { Decision } from "../../src/redis/port.js";
import { toChunks } from "../../src/redis/settle-chunk-size.js";
import { boundsOf, toRuns } from "../../src/redis/settle-runs.js";
import { idOf } from "../support/deliveries.js";

const claim = (ttlMs: number): ClaimedKey => ({ scope: { _tag: "group" }, name: "=a", holder: "me", ttlMs });
const ack = (also: Partial<Decision> = {}): Decision => ({ verb: "ack", id: idOf(1), ...also }) as Decision;
const writing = (key: string, ...args: string[]): Decision => ack({ writes: [{ command: "XADD", key, args }] });

describe("toRuns", () => {
  it("puts acks together that write nothing, or mark for as long, wherever they stand", () => {
    const marking = ack({ claims: [claim(5)] });
    const twice = ack({ claims: [claim(5), claim(5)] });
    const longer = ack({ claims: [claim(6)] });
    expect(toRuns([ack(), marking, ack(), marking, longer, longer, ack(), twice])).toEqual([[0, 2, 6], [1, 3], [4, 5], [7]]);
  });

  it("keeps what writes in order", () => {
    const [a, b] = [writing("a", "*", "n", "1"), writing("b", "*", "n", "1")];
    expect(toRuns([a, a, ack(), b, a, writing("a", "*", "n", "1", "m", "2"), a])).toEqual([[0, 1], [2], [3], [4], [5], [6]]);
    const marks = { ...a, claims: [claim(5)] } as Decision;
    expect(toRuns([a, marks, marks])).toEqual([[0], [1, 2]]);
  });

  it("leaves everything else alone", () => {
    const retry: Decision = { verb: "retry", id: idOf(1), delayMs: 5 };
    expect(toRuns([retry, ack(), retry, { verb: "release", id: idOf(2) }])).toEqual([[0], [1], [2], [3]]);
    expect(toRuns([])).toEqual([]);
  });
});

describe("boundsOf", () => {
  it("are the times of the lowest and the highest id", () => {
    const at = (id: string): Decision => ({ verb: "ack", id }) as Decision;
    expect(boundsOf([at("1005-3"), at("1002-10"), at("1002-9"), at("1009-0"), at("1008-7")])).toEqual(["1002", "1009"]);
    expect(boundsOf([at("7-0")])).toEqual(["7", "7"]);
  });
});

describe("toChunks", () => {
  const sizes = (decisions: readonly Decision[], mode: "ack" | "ackAndDelete" = "ack"): number[] =>
    toChunks(decisions, mode).map(({ chunk }) => chunk.length);
  const many = (decision: Decision): Decision[] => Array.from({ length: 1_000 }, () => decision);

  it("are as long as a call may take", () => {
    expect(sizes(many(ack()))).toEqual([1_000]);
    expect(sizes(many(ack({ claims: [claim(5)] })))).toEqual([500, 500]);
    expect(sizes(many({ verb: "release", id: idOf(1) }))).toHaveLength(10);
    expect(sizes(many(ack()), "ackAndDelete")).toHaveLength(10);
    expect(sizes(many(writing("a", ...Array.from({ length: 6_999 }, () => "x")))).slice(0, 2)).toEqual([3, 3]);
    expect(sizes([])).toEqual([]);
  });

  it("say where they begin", () => {
    expect(toChunks(many(writing("a", "*", "n", "1")), "ack").map(({ from }) => from)).toEqual([0, 500]);
  });
});

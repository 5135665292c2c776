import { describe, expect, it } from "vitest";
import { Patience } from "../../src/flow/patience.js";
import { nowMs, timeline } from "../support/virtual-time.js";

/** When it gives up, after these steps, and why. */
function givesUp(steps: Readonly<Record<number, (patience: Patience) => void>>): string[] {
  const seen: string[] = [];
  const patience = new Patience(({ message }) => seen.push(`${nowMs()} ${message}`));
  timeline(Object.fromEntries(Object.entries(steps).map(([at, step]) => [at, () => step(patience)])));
  return seen;
}
const silent = (at: number, ms: number): string => `${at} No answer to a read for ${ms} ms: the connection is given up`;

describe("Patience", () => {
  it("waits for each read as long as that may take, however long the one before might have taken", () => {
    const begin = (blockMs: number) => (patience: Patience) => patience.begin(blockMs);
    const end = (patience: Patience): void => patience.end();
    expect(givesUp({ 0: begin(60_000), 100: end, 200: begin(0) })).toEqual([silent(5_200, 5_000)]);
    expect(givesUp({ 0: begin(0), 100: end, 200: begin(60_000) })).toEqual([silent(65_200, 65_000)]);
    expect(givesUp({ 0: begin(0), 100: end, 200: begin(0), 300: end, 400: begin(1_000) })).toEqual([silent(6_400, 6_000)]);
    expect(givesUp({ 0: begin(60_000), 100: end })).toEqual([]);
    expect(givesUp({ 0: begin(0), 100: (patience) => patience.stop() })).toEqual([]);
  });
});

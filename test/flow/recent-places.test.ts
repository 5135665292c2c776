import { describe, expect, it } from "vitest";
import { RecentPlaces } from "../../src/flow/recent-places.js";

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `place ${n}`);

describe("RecentPlaces", () => {
  it.each([0, 1, 2, 3, 10, 101])("knows %d at most, half as many at least, and those the latest", (most) => {
    const filled = (): RecentPlaces => {
      const places = new RecentPlaces(most);
      for (const name of names(500)) places.remember(name, 1);
      return places;
    };
    const known = names(500).filter((name) => filled().until(name) !== undefined);
    expect(known.length).toBeLessThanOrEqual(most);
    expect(known.length).toBeGreaterThanOrEqual(Math.floor(most / 2));
    expect(known).toEqual(names(500).slice(500 - known.length));
  });

  it("keeps what is asked for", () => {
    const places = new RecentPlaces(10);
    places.remember("asked for", 7);
    for (const name of names(100)) {
      places.remember(name, 1);
      expect(places.until("asked for")).toBe(7);
    }
    places.forget("asked for");
    expect(places.until("asked for")).toBeUndefined();
  });

  it("takes the latest time of a place, and costs no more when it is full", () => {
    const places = new RecentPlaces(10_000);
    places.remember("again", 1);
    places.remember("again", 2);
    expect(places.until("again")).toBe(2);
    const begun = performance.now();
    for (const name of names(200_000)) places.remember(name, 1);
    expect(performance.now() - begun).toBeLessThan(2_000); // 16 µs each, it was, with one Map
  });
});

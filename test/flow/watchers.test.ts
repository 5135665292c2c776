import { describe, expect, it } from "vitest";
import { Watchers } from "../../src/flow/watchers.js";

describe("Watchers", () => {
  it("tells who listens, in order, until they stop", () => {
    const watchers = new Watchers();
    const heard: string[] = [];
    const stop = watchers.add({ starved: () => heard.push("a") });
    watchers.add({ starved: () => heard.push("b") });
    watchers.tell((watcher) => watcher.starved?.());
    stop();
    stop();
    watchers.tell((watcher) => watcher.starved?.());
    expect(heard).toEqual(["a", "b", "b"]);
  });

  it("tells those who listened when it began: who stops or begins meanwhile is told next time", () => {
    const watchers = new Watchers();
    const heard: string[] = [];
    const again = { starved: () => heard.push("late") };
    let stopSecond = (): void => undefined;
    watchers.add({
      starved: () => {
        heard.push("first");
        stopSecond();
        watchers.add(again);
      },
    });
    stopSecond = watchers.add({ starved: () => heard.push("second") });
    watchers.tell((watcher) => watcher.starved?.());
    expect(heard).toEqual(["first", "second"]);
    watchers.tell((watcher) => watcher.starved?.());
    expect(heard).toEqual(["first", "second", "first", "late"]);
  });
});

import { delay, of } from "rxjs";
import { describe, expect, it } from "vitest";
import { entry, GroupRun } from "../support/group-run.js";

describe("the answers of reads", () => {
  it("are not looked through for a subscriber that leaves when it hears that one came", () => {
    const run: GroupRun = new GroupRun(
      { read: () => of([{ stream: "orders", entries: [entry(1)], claimed: 1 }]).pipe(delay(5)) },
      {
        status: {
          next: ({ _tag }) => {
            if (_tag === "progress") run.recording.stop();
          },
        },
      },
    );
    run.play(900);
    expect(run.ids).toEqual([]);
    expect(run.port.argsOf("confirmClaims")).toEqual([]);
  });
});

import { BehaviorSubject, map, NEVER, of, Subject, throwError, timer, type Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import { heldBy } from "../../src/model/held-delivery.js";
import type { GroupRef, ReadRequest, StreamPage } from "../../src/redis/port.js";
import { quietRead, type Answers } from "../support/fake-port.js";
import { entry, GroupRun, inTurn } from "../support/group-run.js";

const noGroup = (stream: string): Error =>
  new Error(`NOGROUP No such key '${stream}' or consumer group 'shipping' in XREADGROUP with GROUP option`);

const created = (run: GroupRun): string[] => run.port.argsOf("createGroup").map(([ref]) => (ref as GroupRef).stream);
const asked = (run: GroupRun): string[] => run.port.reads.map(({ streams }) => streams.join(""));

describe("streams that come and go", () => {
  it("are read from the next read on, in groups made for them", () => {
    const names = new BehaviorSubject<readonly string[]>(["a"]);
    const run = new GroupRun({}, { stream: names, blockMs: 100 }).play(350, { 150: () => names.next(["a", "b"]) });
    expect(created(run)).toEqual(["a", "b"]);
    expect(asked(run)).toEqual(["a", "a", "ab", "ab"]);
    expect(run.recording.ended).toBeUndefined();
  });

  it("wait for the first list, and may be none at all", () => {
    const names = new Subject<readonly string[]>();
    const run = new GroupRun({}, { stream: names, blockMs: 100 }).play(150, { 50: () => names.next([]), 100: () => names.next(["a"]) });
    expect(run.port.reads.map(({ at, streams }) => [at, streams])).toEqual([[100, ["a"]]]);
    expect(run.status("starting")[0]).toMatchObject({ streams: [] });
  });

  it("are left when nothing of them is in flight, by a consumer with a made-up name", () => {
    const names = new BehaviorSubject<readonly string[]>(["a", "b"]);
    let read = false;
    const once = (request: ReadRequest): Observable<readonly StreamPage[]> => {
      if (read) return quietRead(request) as Observable<readonly StreamPage[]>;
      read = true;
      return of([{ stream: "b", entries: [entry(1)] }]);
    };
    const run = new GroupRun({ read: once }, { stream: names, blockMs: 100, consumer: undefined });
    const left = (): unknown[] => run.port.argsOf("leave").map(([ref, options]) => [(ref as GroupRef).stream, options]);
    run.play(600, {
      150: () => names.next(["a"]),
      350: () => {
        expect(asked(run).at(-1)).toBe("a");
        expect(left()).toEqual([]);
        run.settle([1]);
      },
      550: () => expect(left()).toEqual([["b", { remove: true }]]),
    });
    expect(left().map((each) => (each as string[])[0])).toEqual(["b", "a"]);
  });

  it("end their place's reader with the last of them, and the source goes on", () => {
    const names = new BehaviorSubject<readonly string[]>(["a", "b"]);
    const run = new GroupRun({ placeOf: (stream) => Number(stream === "b") }, { stream: names, blockMs: 100 });
    run.play(600, {
      0: () => expect(run.port.open.readers).toBe(2),
      120: () => names.next(["a"]),
      250: () => {
        expect(run.port.open.readers).toBe(1);
        names.next([]);
      },
      400: () => {
        expect(run.port.open.readers).toBe(0);
        expect(run.recording.ended).toBeUndefined();
        names.next(["b"]);
      },
      450: () => expect(run.port.open.readers).toBe(1),
    });
  });

  it("share the window anew when places come and go", () => {
    const names = new BehaviorSubject<readonly string[]>(["a"]);
    const run = new GroupRun({ placeOf: (stream) => Number(stream === "b") }, { stream: names, blockMs: 100, maxInFlight: 10 });
    run.play(150, { 50: () => names.next(["a", "b"]) });
    const counts = (stream: string): number[] => run.port.reads.filter(({ streams }) => streams.includes(stream)).map(({ count }) => count);
    expect(counts("a")).toEqual([10, 5]);
  });

  it("go on as they are when their Observable completes, and end the source when it errors or lists what can't be read", () => {
    const completed = new GroupRun({}, { stream: of(["a"]), blockMs: 100 }).play(250);
    expect(asked(completed)).toEqual(["a", "a", "a"]);
    for (const [stream, message] of [
      [throwError(() => new Error("no list")), "no list"],
      [of(["a", "a"]), "name each stream once"],
      [of(["{a"]), "hash tag"],
      [of("a" as unknown as string[]), "Observable of such lists"],
    ] as const) {
      const run = new GroupRun({}, { stream }).play(50);
      expect(run.recording.ended).toBe("error");
      expect(String(run.recording.error)).toContain(message);
    }
  });

  it("are not asked for any more once the source drains", () => {
    const names = new BehaviorSubject<readonly string[]>(["a"]);
    const run = new GroupRun({}, { stream: names, blockMs: 100 });
    run.play(500, { 50: () => run.drain.abort(), 300: () => names.next(["a", "b"]) });
    expect(run.recording.ended).toBe("complete");
    expect(created(run)).toEqual(["a"]);
    expect(names.observed).toBe(false);
  });
});

describe("a group that is missing on one stream of several", () => {
  /** The group of `b` vanishes with each read that asks for it. */
  const withoutB: Answers["read"] = (request) =>
    request.streams.includes("b") ? timer(1).pipe(map(() => { throw noGroup("b"); })) : quietRead(request); // prettier-ignore

  it("does not keep the others waiting while it can't be made again", () => {
    const run = new GroupRun({ read: withoutB }, { stream: ["a", "b", "c"], blockMs: 10 }).play(400);
    const withoutIt = run.port.reads.filter(({ streams }) => !streams.includes("b"));
    expect(withoutIt.length).toBeGreaterThan(20);
    expect(withoutIt.every(({ streams }) => streams.join("") === "ac")).toBe(true);
    expect(run.status("groupRecreated").every(({ stream }) => stream === "b")).toBe(true);
    expect(run.recording.ended).toBeUndefined();
  });

  it("is looked for on that stream alone, on the reader that there is", () => {
    let gone = true;
    const read: Answers["read"] = (request) => {
      if (!gone) return quietRead(request);
      gone = false;
      return throwError(() => noGroup("b"));
    };
    const run = new GroupRun({ read }, { stream: ["a", "b", "c"] }).play(50);
    expect(created(run)).toEqual(["a", "b", "c", "b"]);
    expect(run.port.timesOf("closeReader")).toHaveLength(1); // at the end
  });

  it("can be made later than the others, which are read meanwhile", () => {
    const run = new GroupRun(
      { createGroup: ({ stream }) => (stream === "b" && nowInRun() < 100 ? throwError(() => new Error("LOADING Redis is loading")) : of(true)) }, // prettier-ignore
      { stream: ["a", "b"], blockMs: 20 },
    );
    const nowInRun = (): number => run.port.sent.at(-1)?.at ?? 0;
    run.play(400);
    expect(asked(run)[0]).toBe("a");
    expect(asked(run).at(-1)).toBe("ab");
  });

  it("is made again for a stream that is being left, so that what is in flight can be settled", () => {
    const names = new BehaviorSubject<readonly string[]>(["a", "b"]);
    const read = inTurn<Observable<readonly StreamPage[]>>(() => of([{ stream: "a", entries: [entry(1)] }]), () => NEVER); // prettier-ignore
    const run = new GroupRun({ read }, { stream: names, maxInFlight: 2, blockMs: 50 });
    run.play(400, {
      50: () => names.next(["b"]),
      100: () => heldBy(run.deliveries[0]!).origin.hindered(noGroup("a")),
      150: () => heldBy(run.deliveries[0]!).origin.hindered(noGroup("eu:b")), // another's: "b" is only how it ends
    });
    expect(created(run).filter((stream) => stream === "a").length).toBeLessThanOrEqual(2);
  });

  it("hands out once what is open of a stream that is left and read again", () => {
    const names = new BehaviorSubject<readonly string[]>(["a", "b"]);
    let step: "first" | "with" | "without" | "over" = "first";
    const read: Answers["read"] = (request) => {
      const hasA = request.streams.includes("a");
      if (step === "first") {
        step = "with";
        return of([{ stream: "a", entries: [entry(1), entry(2)] }]);
      }
      if (step === "with" && !hasA) step = "without";
      const again = step === "without" && hasA;
      if (again) step = "over";
      return again ? timer(1).pipe(map(() => [{ stream: "a", entries: [entry(1), entry(2), entry(3)] }])) : quietRead(request);
    };
    const run = new GroupRun({ read }, { stream: names, blockMs: 50 });
    run.play(400, { 60: () => names.next(["b"]), 120: () => names.next(["a", "b"]) });
    expect(run.ids).toEqual(["1-0", "2-0", "3-0"]);
  });

  it("ends the source with onMissingGroup: fail, and names the stream", () => {
    const run = new GroupRun({ read: withoutB }, { stream: ["a", "b"], onMissingGroup: "fail" }).play(100);
    expect(run.recording).toMatchObject({ ended: "error", error: { _tag: "GroupMissingError" } });
    expect((run.recording.error as Error).message).toContain('stream "b"');
  });

  it("is made again although no credit is left: what can't be settled without it holds the credit", () => {
    const read = inTurn<Observable<readonly StreamPage[]>>(() => of([{ stream: "orders", entries: [entry(1), entry(2)] }]), () => NEVER); // prettier-ignore
    const run = new GroupRun({ read }, { maxInFlight: 2 });
    run.play(300, { 150: () => heldBy(run.deliveries[0]!).origin.hindered(noGroup("orders")) });
    expect(run.port.argsOf("createGroup")).toHaveLength(2);
  });
});

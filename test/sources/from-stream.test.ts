import { NEVER, of, throwError, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromStreamOptions } from "../../src/flow/tail-settings.js";
import type { Delivery } from "../../src/model/delivery.js";
import type { EntryId } from "../../src/model/entry-id.js";
import { heldBy } from "../../src/model/held-delivery.js";
import type { SourceStatus } from "../../src/model/status.js";
import type { RawEntry, TailRequest } from "../../src/redis/port.js";
import { fromStream } from "../../src/sources/from-stream.js";
import { FakePort, quietTail, type Answers } from "../support/fake-port.js";
import { entry, inTurn } from "../support/group-run.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";

/** One subscription over a fake port. */
class Tail {
  readonly port: FakePort;
  readonly statuses: SourceStatus[] = [];
  readonly drain: AbortController = new AbortController();
  readonly #source: Observable<Delivery<unknown>>;
  #recording: Recording<Delivery<unknown>> | undefined;

  constructor(answers: Answers = {}, options: Partial<FromStreamOptions> = {}) {
    this.port = new FakePort(answers);
    const status = { next: (each: SourceStatus) => void (each._tag !== "progress" && this.statuses.push(each)) }; // news alone
    this.#source = fromStream(this.port.client, { stream: "orders", from: "0", signal: this.drain.signal, status, ...options });
  }

  play(untilMs: number, steps: Readonly<Record<number, () => void>> = {}): this {
    timeline({ 0: () => (this.#recording = record(this.#source)), ...steps, [untilMs]: () => this.recording.stop() });
    return this;
  }

  get recording(): Recording<Delivery<unknown>> {
    return this.#recording!;
  }
  get ids(): string[] {
    return this.recording.values.map(({ id }) => id);
  }
  get tails(): (TailRequest & { readonly at: number })[] {
    return this.port.sent.filter(({ name }) => name === "tail").map(({ at, args }) => ({ at, ...(args[0] as TailRequest) }));
  }
  get saved(): string[] {
    return this.port.argsOf("moveCheckpoint").map((args) => String(args[1]));
  }
  /** What a sink does when a write is confirmed. */
  settle(...ids: readonly string[]): void {
    for (const each of this.recording.values.filter(({ id }) => ids.includes(id))) heldBy(each).origin.confirm([{ held: heldBy(each) }]);
  }
}

/** Answers the first reads with these pages, and is quiet then. */
const pages = (...numbers: readonly (readonly number[])[]): NonNullable<Answers["tail"]> => {
  const left = numbers.map((page) => page.map(entry));
  return (request) => {
    const page = left.shift();
    return page === undefined ? quietTail(request) : of<readonly RawEntry[]>(page);
  };
};
const ended = { lastGeneratedId: "9-0" as EntryId, first: "1-0" as EntryId, maxDeletedId: undefined };
const audit = { checkpoint: "audit", startId: "0" };

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("fromStream", () => {
  it("reads after the last id it was given, within its credit, and blocks", () => {
    const run = new Tail({ tail: pages([1, 2], [5]) }, { maxInFlight: 10, blockMs: 700 }).play(100);
    expect(run.tails.map(({ after, count, blockMs }) => [after, count, blockMs])).toEqual([
      ["0-0", 10, 700],
      ["2-0", 8, 700],
      ["5-0", 7, 700],
    ]);
    expect(run.recording.values.map(({ id, group, consumer, deliveryCount }) => [id, group, consumer, deliveryCount])).toEqual([
      ["1-0", undefined, undefined, 1],
      ["2-0", undefined, undefined, 1],
      ["5-0", undefined, undefined, 1],
    ]);
  });

  it("does not read without credit, and reads on when it is back", () => {
    const run = new Tail({ tail: pages([1, 2], [3]) }, { maxInFlight: 2 });
    run.play(1_000, { 500: () => run.settle("1-0") });
    expect(run.tails.map(({ at, count }) => [at, count])).toEqual([
      [0, 2],
      [500, 1],
    ]);
    expect(run.statuses.map(({ _tag }) => _tag)).toEqual(["starting", "reading", "starved", "reading", "starved", "stopped"]);
  });

  it("opens one reader and one connection besides, and closes them", () => {
    const run = new Tail();
    run.play(1_000, { 500: () => expect(run.port.open).toEqual({ commands: 1, readers: 1 }) });
    expect(run.port.open).toEqual({ commands: 0, readers: 0 });
  });

  it("reads again after the same id when a read failed, with a new reader, and says so", () => {
    const tail = inTurn<Observable<readonly RawEntry[]>>(
      () => of([entry(1)]),
      () => throwError(() => new Error("Connection is closed.")),
      () => throwError(() => new Error("LOADING")),
      () => of([entry(2)]),
      () => NEVER,
    );
    const run = new Tail({ tail, history: { edges: () => of({ ...ended, lastGeneratedId: "2-0" as EntryId }) } }).play(1_000);
    expect(run.tails.map(({ at, after }) => [at, after])).toEqual([
      [0, "0-0"],
      [0, "1-0"],
      [38, "1-0"],
      [113, "1-0"],
      [113, "2-0"],
    ]);
    expect(run.statuses.filter(({ _tag }) => _tag === "reconnecting")).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    expect(run.ids).toEqual(["1-0", "2-0"]);
  });

  it("gives a read up that does not answer for 5 s more than it may block", () => {
    const run = new Tail({ tail: () => NEVER }, { blockMs: 100 }).play(6_000);
    expect(run.tails.map(({ at }) => at)).toEqual([0, 5_138]);
  });

  it("is not in a hurry when a server does not block", () => {
    const run = new Tail({ tail: () => of([]) }).play(1_000);
    expect(run.tails.length).toBeLessThan(22);
  });

  it("ends with what can't heal", () => {
    const run = new Tail({ tail: () => throwError(() => new Error("WRONGTYPE not a stream")) }).play(100);
    expect(run.recording.error).toMatchObject({ _tag: "WrongTypeError" });
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "error", released: 0 });
  });

  it('turns "$" into the id it means at the start', () => {
    const history = { edges: () => of({ ...ended, lastGeneratedId: "7-0" as EntryId }) };
    expect(new Tail({ history }, { from: "$" }).play(10).tails[0]!.after).toBe("7-0");
    expect(new Tail({}, { from: "$" }).play(10).tails[0]!.after).toBe("0-0");
  });

  it("reads from an id of the user's, also from one the stream has not reached", () => {
    const history = { edges: () => of({ ...ended, lastGeneratedId: "7-0" as EntryId }) };
    const run = new Tail({ history }, { from: "99-0", blockMs: 10 }).play(100);
    expect(new Set(run.tails.map(({ after }) => after))).toEqual(new Set(["99-0"]));
  });
});

describe("fromStream on a stream that is not what it was", () => {
  it("goes back to the beginning of one that is gone, as soon as it is quiet, and says so once", () => {
    const run = new Tail({ tail: pages([1, 2]) }, { blockMs: 100 }).play(1_000);
    expect(run.tails.map(({ at, after }) => [at, after]).slice(0, 4)).toEqual([
      [0, "0-0"],
      [0, "2-0"],
      [100, "0-0"],
      [200, "0-0"],
    ]);
    expect(run.statuses.filter(({ _tag }) => _tag === "rewound")).toEqual([
      { _tag: "rewound", stream: "orders", from: "2-0", after: "0-0" },
    ]);
  });

  it("goes back to its checkpoint when what it knew is gone, and replaces one that is beyond the end", () => {
    const edges = (): Observable<typeof ended> => of({ ...ended, lastGeneratedId: "1-0" as EntryId });
    const kept = new Tail(
      {
        tail: pages([2]),
        history: {
          edges,
          checkpoint: inTurn(
            () => of<EntryId | undefined>(undefined),
            () => of<EntryId | undefined>("0-5" as EntryId),
          ),
        },
      },
      { from: audit, blockMs: 100 },
    );
    kept.play(150);
    expect(kept.tails.at(-1)!.after).toBe("0-5");
    const beyond = new Tail({ history: { edges, checkpoint: () => of("5-0" as EntryId) } }, { from: audit }).play(10);
    expect(beyond.tails[0]!.after).toBe("0-0");
    expect(beyond.port.argsOf("moveCheckpoint")[0]!.slice(1)).toEqual(["0-0", "5-0"]);
  });

  it("reports a gap once", () => {
    const history = { edges: () => of({ ...ended, first: "7-0" as EntryId }), checkpoint: () => of("5-0" as EntryId) };
    const run = new Tail({ history }, { from: audit, blockMs: 100 }).play(1_000);
    expect(run.statuses.filter(({ _tag }) => _tag === "gap")).toEqual([{ _tag: "gap", stream: "orders", after: "5-0", first: "7-0" }]);
  });
});

describe("the checkpoint of fromStream", () => {
  it("is written every `everyMs` while it moves, not beyond what is unsettled, and at the end", () => {
    const run = new Tail({ tail: pages([1, 2, 3]) }, { from: { ...audit, everyMs: 100 } });
    run.play(1_000, { 50: () => run.settle("1-0", "3-0"), 450: () => run.settle("2-0"), 950: () => undefined });
    expect(run.port.timesOf("moveCheckpoint")).toEqual([100, 500]);
    expect(run.saved).toEqual(["1-18446744073709551615", "3-0"]);
  });

  it("is written when the source is unsubscribed, and holds what is unsettled back", () => {
    const run = new Tail({ tail: pages([1, 2, 3]) }, { from: audit });
    run.play(500, { 50: () => run.settle("1-0", "3-0") });
    expect(run.saved).toEqual(["1-18446744073709551615"]);
    expect(run.statuses.at(-1)).toEqual({ _tag: "stopped", reason: "unsubscribed", released: 1 });
  });

  it("is where reading begins; nothing else is written before it moves", () => {
    const run = new Tail({ history: { checkpoint: () => of("5-0" as EntryId), edges: () => of(ended) } }, { from: audit }).play(3_000);
    expect(run.tails[0]!.after).toBe("5-0");
    expect(run.saved).toEqual([]);
  });

  it('is stored at once where it begins at "$", so that a crash skips nothing', () => {
    const run = new Tail({ history: { edges: () => of(ended) } }, { from: { ...audit, startId: "$" } }).play(10);
    expect(run.saved).toEqual(["9-0"]);
  });

  it("is written with the next tick when a write failed", () => {
    const moveCheckpoint = inTurn(
      () => throwError(() => new Error("OOM")),
      () => of("1-0" as EntryId),
    );
    const run = new Tail({ tail: pages([1]), history: { moveCheckpoint } }, { from: { ...audit, everyMs: 100 } });
    run.play(1_000, { 50: () => run.settle("1-0") });
    expect(run.port.timesOf("moveCheckpoint")).toEqual([100, 200]);
  });

  it("that can't be written for good ends the source", () => {
    const moveCheckpoint = (): Observable<EntryId> => throwError(() => new Error("NOPERM"));
    const run = new Tail({ tail: pages([1]), history: { moveCheckpoint } }, { from: { ...audit, everyMs: 100 } });
    run.play(1_000, { 50: () => run.settle("1-0") });
    expect(run.recording.error).toMatchObject({ _tag: "AccessError" });
  });
});

describe("a drain of fromStream", () => {
  it("reads no more, writes the checkpoint, and completes when the last delivery is settled", () => {
    const run = new Tail({ tail: pages([1, 2]) }, { from: audit });
    run.play(9_000, { 100: () => run.drain.abort(), 400: () => run.settle("1-0", "2-0") });
    expect([run.recording.ended, run.recording.endedAt]).toEqual(["complete", 400]);
    expect(run.saved).toEqual(["2-0"]);
    expect(run.statuses.slice(-2)).toEqual([
      { _tag: "draining", unsettled: 2 },
      { _tag: "stopped", reason: "drained", released: 0 },
    ]);
  });

  it("gives up after `drainTimeoutMs`", () => {
    const run = new Tail({ tail: pages([1, 2]) }, { from: audit, drainTimeoutMs: 300 });
    run.play(9_000, { 100: () => run.drain.abort(), 200: () => run.settle("1-0") });
    expect(run.recording.endedAt).toBe(450);
    expect(run.recording.values[1]!.signal.aborted).toBe(true);
    expect(run.saved).toEqual(["1-18446744073709551615"]);
  });

  it("that was asked for before the start reads nothing", () => {
    const run = new Tail({ tail: pages([1]) });
    run.drain.abort();
    run.play(100);
    expect([run.recording.ended, run.tails.length]).toEqual(["complete", 0]);
  });
});

describe("the options of fromStream", () => {
  const refused: readonly (readonly [Partial<Record<keyof FromStreamOptions, unknown>>, string])[] = [
    [{ stream: "" }, "`stream`"],
    [{ stream: "{" }, "`stream`"],
    [{ from: undefined }, "`from`"],
    [{ from: null }, "`from`"],
    [{ from: "1" }, '`from` to be "0", "$" or an id "<ms>-<seq>", or a stored checkpoint, got `1`'],
    [{ from: { startId: "0" } }, "`from.checkpoint`"],
    [{ from: { checkpoint: "", startId: "0" } }, "`from.checkpoint`"],
    [{ from: { checkpoint: "audit" } }, "`from.startId`"],
    [{ from: { checkpoint: "audit", startId: ">" } }, "`from.startId`"],
    [{ from: { ...audit, everyMs: 9 } }, "`from.everyMs`"],
    [{ blockMs: 0 }, "`blockMs`"],
    [{ maxInFlight: 0 }, "`maxInFlight`"],
    [{ signal: "SIGTERM" }, "`signal`"],
    [{ drainTimeoutMs: -1 }, "`drainTimeoutMs`"],
    [{ stalledAfterMs: 0 }, "`stalledAfterMs`"],
  ];
  it.each(refused)("%j: refused when it is called", (options, message) => {
    const call = (): unknown => fromStream(new FakePort().client, { stream: "orders", from: "0", ...options } as FromStreamOptions);
    expect(call).toThrow(message);
  });

  it("open no connection until it is subscribed to", () => {
    const port = new FakePort();
    void fromStream(port.client, { stream: "orders", from: "0" });
    expect(port.open).toEqual({ commands: 0, readers: 0 });
  });
});

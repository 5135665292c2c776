import { map, of, take, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeNote } from "../../src/model/dead-letter.js";
import type { DeadLetter } from "../../src/model/dead-letter.js";
import { EntryIdOrd, toEntryId, type EntryId } from "../../src/model/entry-id.js";
import type { RawEntry } from "../../src/redis/port.js";
import { fromDeadLetters, type FromDeadLettersOptions } from "../../src/sources/from-dead-letters.js";
import { idOf } from "../support/deliveries.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import type { SourceStatus } from "../../src/model/status.js";
import { play, record, timeline, type Recording } from "../support/virtual-time.js";

const options: FromDeadLettersOptions = { stream: "orders", group: "shipping" };

const letter = (number: number): RawEntry => {
  const origin = { stream: "orders", id: toEntryId(`${number}-7`), group: "shipping", consumer: "me" };
  return [
    idOf(number),
    ["dead-letter", encodeNote({ origin, cause: { name: "Error", message: `bad ${number}` }, deliveryCount: 5 }), "n", String(number)],
  ];
};

/** A dead-letter stream that answers XRANGE. */
function graveyard(...numbers: readonly number[]): { letters: RawEntry[]; deadLetters: NonNullable<Answers["deadLetters"]> } {
  const letters = numbers.map(letter);
  const after = (id: EntryId | undefined): RawEntry[] => letters.filter((each) => id === undefined || EntryIdOrd.compare(each[0], id) > 0);
  return { letters, deadLetters: (_ref, request) => of(after(request.after).slice(0, request.count)) };
}

function run(
  port: FakePort,
  more: Partial<FromDeadLettersOptions> = {},
  steps: Readonly<Record<number, () => void>> = {},
  untilMs = 60_000,
): Recording<DeadLetter> {
  return play(() => fromDeadLetters(port.client, { ...options, ...more }), untilMs, steps);
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("fromDeadLetters", () => {
  it("emits what each held, why and where from, oldest first, and completes", () => {
    const port = new FakePort(graveyard(1, 2));
    const { values, ended } = run(port);
    expect({ ...values[0], fields: { ...values[0]!.fields } }).toEqual({
      id: "1-0",
      origin: { stream: "orders", id: "1-7", group: "shipping", consumer: "me" },
      cause: { name: "Error", message: "bad 1" },
      deliveryCount: 5,
      firstFailedAt: 1,
      failedAt: 1,
      hops: 0,
      fields: { n: "1" },
      pairs: ["n", "1"],
    });
    expect(values.map(({ id }) => id)).toEqual(["1-0", "2-0"]);
    expect(ended).toBe("complete");
    expect(port.open.commands).toBe(0);
  });

  it("is empty when there are none", () => {
    const port = new FakePort();
    expect(run(port)).toMatchObject({ values: [], ended: "complete", endedAt: 0 });
    expect(port.argsOf("deadLetters")).toEqual([
      [
        { stream: "orders", group: "shipping" },
        { stream: undefined, after: undefined, count: 100 },
      ],
    ]);
  });

  it("reads page by page, each after the last of the one before", () => {
    const port = new FakePort(graveyard(1, 2, 3, 9, 10));
    expect(run(port, { pageSize: 2 }).values.map(({ id }) => id)).toEqual(["1-0", "2-0", "3-0", "9-0", "10-0"]);
    expect(port.argsOf("deadLetters").map(([, request]) => request)).toEqual([
      { stream: undefined, after: undefined, count: 2 },
      { stream: undefined, after: "2-0", count: 2 },
      { stream: undefined, after: "9-0", count: 2 },
    ]);
  });

  it("asks once more after a last page that is full", () => {
    const port = new FakePort(graveyard(1, 2));
    expect(run(port, { pageSize: 2 })).toMatchObject({ ended: "complete" });
    expect(port.sent).toHaveLength(2);
  });

  it("begins after an id, and reads another stream, when asked to", () => {
    const port = new FakePort(graveyard(1, 2, 3));
    expect(run(port, { after: idOf(2), deadLetterStream: "elsewhere" }).values.map(({ id }) => id)).toEqual(["3-0"]);
    expect(port.argsOf("deadLetters")[0]![1]).toEqual({ stream: "elsewhere", after: "2-0", count: 100 });
  });

  it("shows what somebody else has put there", () => {
    const port = new FakePort({ deadLetters: () => of<RawEntry[]>([[idOf(1), ["a", "1"]]]) });
    expect(run(port).values).toMatchObject([{ cause: { name: "UnreadableDeadLetter" }, pairs: ["a", "1"] }]);
  });

  describe("live", () => {
    it("goes on with those that come later, every second or as often as asked", () => {
      const { letters, deadLetters } = graveyard(1);
      const port = new FakePort({ deadLetters });
      const recording = run(port, { live: true }, { 1_500: () => letters.push(letter(2)), 1_700: () => letters.push(letter(3)) }, 3_500);
      expect(recording.values.map(({ id }) => id)).toEqual(["1-0", "2-0", "3-0"]);
      expect(recording.times).toEqual([0, 2_000, 2_000]);
      expect(port.timesOf("deadLetters")).toEqual([0, 1_000, 2_000, 3_000]);
      expect(run(new FakePort(), { live: true, everyMs: 250 }, {}, 600).ended).toBeUndefined();
    });

    it("catches up without a pause", () => {
      const port = new FakePort(graveyard(1, 2, 3));
      run(port, { live: true, pageSize: 1 }, {}, 500);
      expect(port.timesOf("deadLetters")).toEqual([0, 0, 0, 0]);
    });

    it("stops asking when it is unsubscribed, and closes its connection", () => {
      const port = new FakePort();
      run(port, { live: true }, {}, 2_500);
      expect(port.sent).toHaveLength(3);
      expect(port.open.commands).toBe(0);
    });
  });

  describe("when Redis answers with an error", () => {
    it("asks again after a growing wait, and goes on where it was", () => {
      const { letters, deadLetters } = graveyard(1, 2, 3);
      let calls = 0;
      const port = new FakePort({
        deadLetters: (ref, request) =>
          [2, 3, 5].includes((calls += 1)) ? throwError(() => new Error("Connection is closed.")) : deadLetters(ref, request),
      });
      const attempts: unknown[] = [];
      const status = { next: (each: SourceStatus) => attempts.push(each._tag === "reconnecting" && [each.attempt, each.delayMs]) };
      const { values, ended } = run(port, { pageSize: 1, status });
      expect(values).toHaveLength(letters.length);
      expect(ended).toBe("complete");
      expect(port.timesOf("deadLetters")).toEqual([0, 0, 38, 113, 113, 151, 151]); // 38 and 75 ms; 38 ms again after an answer
      expect(attempts).toEqual([[1, 38], [2, 75], [1, 38]]); // prettier-ignore
    });

    it.each([
      ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
      ["NOPERM this user has no permissions to run the 'xrange' command", "AccessError"],
      ["ERR Invalid stream ID specified as stream command argument", "CommandError"],
    ])("errors for what can't heal: %s", (message, tag) => {
      const port = new FakePort({ deadLetters: () => throwError(() => new Error(message)) });
      expect(run(port)).toMatchObject({ ended: "error", error: { _tag: tag } });
      expect(port.sent).toHaveLength(1);
      expect(port.open.commands).toBe(0);
    });
  });

  it("stops with a subscriber that had enough", () => {
    const slow: Answers["deadLetters"] = (_ref, { after }) =>
      timer(10).pipe(map(() => [letter(after === undefined ? 1 : Number.parseInt(after) + 1)]));
    const port = new FakePort({ deadLetters: slow });
    let recording: Recording<DeadLetter> | undefined;
    const some$ = (): Observable<DeadLetter> => fromDeadLetters(port.client, { ...options, pageSize: 1 }).pipe(take(3));
    timeline({ 0: () => (recording = record(some$())) });
    expect(recording!.values).toHaveLength(3);
    expect(port.open.commands).toBe(0);
  });

  it("is cold: each subscription begins anew, on its own connection", () => {
    const port = new FakePort(graveyard(1));
    const letters$ = fromDeadLetters(port.client, options);
    expect(port.open.commands).toBe(0);
    const both = [record(letters$), record(letters$)];
    expect(both.map(({ values }) => values.length)).toEqual([1, 1]);
  });

  it.each<readonly [Partial<Record<keyof FromDeadLettersOptions, unknown>>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ stream: "a}" }, /^Expected `stream` to have a whole hash tag/],
    [{ group: "" }, /^Expected `group`/],
    [{ deadLetterStream: "" }, /^Expected `deadLetterStream`/],
    [{ everyMs: 9 }, /^Expected `everyMs` to be an integer from 10 to 2147483647/],
    [{ everyMs: 2 ** 31 }, /^Expected `everyMs`/],
    [{ pageSize: 0 }, /^Expected `pageSize` to be an integer from 1 to 10000/],
    [{ pageSize: 10_001 }, /^Expected `pageSize`/],
    [{ after: "yesterday" }, /`after`/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => fromDeadLetters(new FakePort().client, { ...options, ...wrong } as FromDeadLettersOptions)).toThrow(message);
  });
});

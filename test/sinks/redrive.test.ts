import { from, NEVER, of, Subject, throwError, timer, map, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toEntryId } from "../../src/model/entry-id.js";
import type { Redrivable, Redriven, RedriveOutcome } from "../../src/model/redriven.js";
import type { GroupRef, RedriveRequest } from "../../src/redis/port.js";
import { redrive, type RedriveOptions } from "../../src/sinks/redrive.js";
import { idOf } from "../support/deliveries.js";
import { FakePort } from "../support/fake-port.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";

const letter = (number: number, group = "shipping", hops = 0): Redrivable => ({
  id: idOf(number),
  origin: { stream: "orders", id: toEntryId(`${number}-7`), group, consumer: "me" },
  firstFailedAt: 1,
  hops,
});

const words = (seen: Recording<Redriven<Redrivable>>): string[] =>
  seen.values.map((each) => `${each.letter.id} ${each._tag}${each._tag === "refused" ? ` ${each.reason}` : ""}`);

function run(port: FakePort, letters: Observable<Redrivable>, options?: RedriveOptions): Recording<Redriven<Redrivable>> {
  let seen = record(NEVER as Observable<Redriven<Redrivable>>);
  timeline({ 0: () => (seen = record(letters.pipe(redrive(port.client, options)))) });
  return seen;
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("redrive", () => {
  it("emits what became of each letter in their order, one write per group at a time", () => {
    const answer = (ref: GroupRef, { letters }: RedriveRequest): Observable<readonly RedriveOutcome[]> =>
      timer(10).pipe(
        map(() => letters.map(() => (ref.group === "shipping" ? { what: "again", id: idOf(1) } : { what: "absent", id: undefined }))),
      );
    const port = new FakePort({ admin: { redrive: answer } });
    const seen = run(port, from([letter(1), letter(2, "billing"), letter(3), letter(4, "billing")]));
    expect(words(seen)).toEqual(["1-0 again", "2-0 absent", "3-0 again", "4-0 absent"]);
    expect(port.timesOf("redrive")).toEqual([0, 10, 20]);
    expect(seen).toMatchObject({ ended: "complete", endedAt: 30 });
    expect(port.open.commands).toBe(0);
  });

  it("refuses without asking what is another's, unreadable, or goes in circles", () => {
    const port = new FakePort();
    const stranger = { ...letter(3), origin: { ...letter(3).origin, consumer: "" } };
    const letters = from([
      letter(1, "billing"),
      { ...letter(2), origin: { ...letter(2).origin, stream: "other" } },
      stranger,
      letter(4, "shipping", 2),
    ]);
    expect(words(run(port, letters, { stream: "orders", group: "shipping", maxHops: 2 }))).toEqual([
      "1-0 refused otherGroup",
      "2-0 refused otherGroup",
      "3-0 refused unreadable",
      "4-0 refused tooManyHops",
    ]);
    expect(port.sent).toEqual([]);
  });

  it("sends the rest again, from the first that could not be written", () => {
    const failures = [2, 0, 1, 9];
    const answer = (_ref: GroupRef, { letters }: RedriveRequest): Observable<readonly RedriveOutcome[]> => {
      const count = failures.shift()!;
      if (count === 0) return throwError(() => new Error("OOM command not allowed"));
      return of(letters.slice(0, count).map(({ origin }) => ({ what: "again" as const, id: origin.id })));
    };
    const port = new FakePort({ admin: { redrive: answer } });
    const source = new Subject<Redrivable>();
    let seen = record(NEVER as Observable<Redriven<Redrivable>>);
    failures.unshift(9);
    timeline({
      0: () => (seen = record(source.pipe(redrive(port.client)))),
      1: () => {
        for (let number = 1; number <= 5; number += 1) source.next(letter(number));
        source.complete();
      },
    });
    expect(words(seen)).toEqual([1, 2, 3, 4, 5].map((number) => `${number}-0 again`));
    expect(seen.ended).toBe("complete");
  });

  it("ends with what can't heal, and passes an error of the source on", () => {
    const port = new FakePort({ admin: { redrive: () => throwError(() => new Error("NOPERM no")) } });
    expect(run(port, of(letter(1)))).toMatchObject({ values: [], ended: "error", error: { _tag: "AccessError" } });
    expect(
      run(
        port,
        throwError(() => new Error("theirs")),
      ),
    ).toMatchObject({ ended: "error", error: new Error("theirs") });
    expect(run(port, of())).toMatchObject({ values: [], ended: "complete" });
    expect(port.open.commands).toBe(0);
  });

  it.each<readonly [Record<string, unknown>, RegExp]>([
    [{ stream: "" }, /^Expected `stream`/],
    [{ stream: "a}" }, /whole hash tag/],
    [{ group: "" }, /^Expected `group`/],
    [{ deadLetterStream: "" }, /^Expected `deadLetterStream`/],
    [{ maxHops: 0 }, /^Expected `maxHops` to be an integer of 1/],
  ])("refuses %j when it is called", (wrong, message) => {
    expect(() => redrive(new FakePort().client, wrong)).toThrow(message);
  });
});

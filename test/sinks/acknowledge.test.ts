import { concat, EMPTY, from, mergeMap, NEVER, of, Subject, tap, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CreditLedger, type RetryNotice } from "../../src/flow/credit-ledger.js";
import type { Receipt } from "../../src/model/receipt.js";
import { settle, type Flow, type SettlementBatch } from "../../src/model/settlement.js";
import type { SettleOutcome } from "../../src/redis/port.js";
import { acknowledge, type AcknowledgeOptions } from "../../src/sinks/acknowledge.js";
import { stateOf, TestSource } from "../support/deliveries.js";
import { FakePort, type Answers } from "../support/fake-port.js";
import { marbles, record, timeline, type Recording } from "../support/virtual-time.js";

const batch = (...items: readonly Flow<unknown>[]): SettlementBatch => ({ _tag: "SettlementBatch", items, trigger: "size" });
const done: SettleOutcome = { _tag: "done" };
const notPending: SettleOutcome = { _tag: "notPending" };
const failed = (message: string): SettleOutcome => ({ _tag: "failed", error: new Error(message) });
const error = (message: string): Observable<never> => throwError(() => new Error(message));
/** Answers each call with the next of these, and with the last from then on. */
function inTurn<A>(...answers: readonly (() => A)[]): () => A {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)]!();
}

/** What a receipt counts, zeros left out. */
function counts({ stream: _stream, group: _group, ...rest }: Receipt): Partial<Receipt> {
  return Object.fromEntries(Object.entries(rest).filter(([, count]) => count !== 0));
}
const total = ({ acked, duplicates, filtered, retried, deadLettered, released, notPending: gone }: Receipt): number =>
  acked + duplicates + filtered + retried + deadLettered + released + gone;

interface Run {
  readonly port: FakePort;
  readonly receipts: Recording<Receipt>;
}

/** Runs items through the sink until nothing is left to happen. */
function run(items: Observable<Flow<unknown> | SettlementBatch>, answers: Answers = {}, options: AcknowledgeOptions = {}): Run {
  const port = new FakePort(answers);
  let receipts: Recording<Receipt> | undefined;
  timeline({ 0: () => (receipts = record(items.pipe(acknowledge(port.client, options)))) });
  return { port, receipts: receipts! };
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0); // waits of 25, 50, 100 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("acknowledge", () => {
  describe("a batch of acks alone", () => {
    it("is one XACK", () => {
      const source = new TestSource();
      const { port, receipts } = run(of(batch(...source.many(3))));
      expect(port.sent.map(({ name, args }) => [name, ...args])).toEqual([
        ["ack", { stream: "orders", group: "shipping", consumer: "me" }, ["1-0", "2-0", "3-0"]],
      ]);
      expect(receipts.values).toEqual([
        {
          stream: "orders",
          group: "shipping",
          acked: 3,
          duplicates: 0,
          filtered: 0,
          retried: 0,
          deadLettered: 0,
          released: 0,
          notPending: 0,
          repeated: 0,
        },
      ]);
      expect(receipts.ended).toBe("complete");
      expect(source.ledger.unsettled).toBe(0);
    });

    it("is one XACK per reason, and counted by reason", () => {
      const [a, b, c, d] = new TestSource().many(4);
      const { port, receipts } = run(of(batch(a!, settle.ack(b!, "duplicate"), settle.ack(c!, "filtered"), settle.ack(d!, "duplicate"))));
      expect(port.argsOf("ack").map(([, ids]) => ids)).toEqual([["1-0"], ["2-0", "4-0"], ["3-0"]]);
      expect(receipts.values.map(counts)).toEqual([{ acked: 1, duplicates: 2, filtered: 1 }]);
    });

    it("counts as not pending what XACK did not find", () => {
      const source = new TestSource();
      const { receipts } = run(of(batch(...source.many(5))), { ack: () => of(3) });
      expect(receipts.values.map(counts)).toEqual([{ acked: 3, notPending: 2 }]);
      expect(source.ledger.unsettled).toBe(0);
    });

    it("counts all as not pending without a group: XACK never says NOGROUP", () => {
      expect(run(of(batch(...new TestSource().many(2))), { ack: () => of(0) }).receipts.values.map(counts)).toEqual([{ notPending: 2 }]);
    });
  });

  describe("a mixed batch", () => {
    const mixed = (source = new TestSource()): SettlementBatch => {
      const [a, b, c, d, e] = source.many(5);
      return batch(
        a!,
        settle.ack(b!, "filtered"),
        settle.retry(c!, { delayMs: 250, cause: "busy" }),
        settle.deadLetter(d!, new Error("bad")),
        settle.release(e!),
      );
    };

    it("is one call, with a decision each, in order", () => {
      const { port, receipts } = run(of(mixed()));
      expect(port.sent.map(({ name }) => name)).toEqual(["settle"]);
      expect(port.argsOf("settle")[0]![0]).toEqual({ stream: "orders", group: "shipping", consumer: "me" });
      const { mode, deadLetterStream, decisions } = port.settles[0]!;
      expect({ mode, deadLetterStream }).toEqual({ mode: "ack", deadLetterStream: undefined });
      expect(decisions).toEqual([
        { verb: "ack", id: "1-0" },
        { verb: "ack", id: "2-0" },
        { verb: "retry", id: "3-0", delayMs: 250 },
        { verb: "dead", id: "4-0", note: expect.stringContaining('"message":"bad"') as string, pairs: ["n", "4"] },
        { verb: "release", id: "5-0" },
      ]);
      expect(receipts.values.map(counts)).toEqual([{ acked: 1, filtered: 1, retried: 1, deadLettered: 1, released: 1 }]);
    });

    it("adds up: every delivery is counted in exactly one place, whatever the server answers", () => {
      const answers: readonly (readonly SettleOutcome[])[] = [
        [done, done, done, done, done],
        [notPending, done, notPending, done, notPending],
        [notPending, notPending, notPending, notPending, notPending],
      ];
      for (const outcomes of answers) {
        const source = new TestSource();
        const [receipt] = run(of(mixed(source)), { settle: () => of(outcomes) }).receipts.values;
        expect(total(receipt!)).toBe(5);
        expect(receipt!.notPending).toBe(outcomes.filter(({ _tag }) => _tag === "notPending").length);
        expect(source.ledger.unsettled).toBe(0);
      }
    });

    it("tells the source when a retry is due", () => {
      const source = new TestSource();
      const notices: RetryNotice[] = [];
      const listening = record(source.ledger.retries, (notice) => notices.push(notice));
      run(of(mixed(source)));
      listening.stop();
      expect(notices).toEqual([{ stream: "orders", inMs: 250 }]);
    });

    it("does not announce a retry that was not pending", () => {
      const source = new TestSource();
      const notices = record(source.ledger.retries);
      run(of(batch(settle.retry(source.one("1-0"), { delayMs: 250 }))), { settle: () => of([notPending]) });
      notices.stop();
      expect(notices.values).toEqual([]);
    });

    it("says which mode, and where dead letters go", () => {
      const { port } = run(of(mixed()), {}, { mode: "ackAndDelete", deadLetterStream: "graveyard" });
      expect(port.settles[0]).toMatchObject({ mode: "ackAndDelete", deadLetterStream: "graveyard" });
    });
  });

  it("sends acks through the script in mode ackAndDelete", () => {
    const { port, receipts } = run(of(batch(...new TestSource().many(2))), {}, { mode: "ackAndDelete" });
    expect(port.sent.map(({ name }) => name)).toEqual(["settle"]);
    expect(receipts.values.map(counts)).toEqual([{ acked: 2 }]);
  });

  it("gives a receipt per source and stream", () => {
    const orders = new TestSource();
    const refunds = new TestSource({ stream: "refunds", group: "accounting" }, orders.ledger);
    const { receipts } = run(of(batch(...orders.many(2), ...refunds.many(1), ...orders.many(1, 3))));
    expect(receipts.values.map(({ stream, group, acked }) => [stream, group, acked])).toEqual([
      ["orders", "shipping", 3],
      ["refunds", "accounting", 1],
    ]);
  });

  it("writes nothing for deliveries that were read without a group, and returns their credit", () => {
    const source = new TestSource({ group: undefined, consumer: undefined });
    const { port, receipts } = run(of(batch(...source.many(3))));
    expect(port.sent).toEqual([]);
    expect(receipts.values.map(counts)).toEqual([{ acked: 3 }]);
    expect(source.ledger.unsettled).toBe(0);
  });

  describe("credit", () => {
    it("returns on confirmation, not before, and once", () => {
      const source = new TestSource();
      const returns = record(source.ledger.returned);
      const port = new FakePort({ ack: (_ref, ids) => timer(10).pipe(mergeMap(() => of(ids.length))) });
      const seen: number[] = [];
      timeline({
        0: () => record(of(batch(...source.many(3))).pipe(acknowledge(port.client))),
        9: () => seen.push(source.ledger.unsettled, returns.values.length),
        11: () => seen.push(source.ledger.unsettled, returns.values.length),
      });
      returns.stop();
      expect(seen).toEqual([3, 0, 0, 1]);
    });

    it("is back when the receipt comes", () => {
      const source = new TestSource();
      const free: number[] = [];
      const sink$ = of(batch(...source.many(3))).pipe(
        acknowledge(new FakePort().client),
        tap(() => free.push(source.ledger.free)),
      );
      record(sink$);
      expect(free).toEqual([1_000]);
    });
  });

  describe("a second settlement", () => {
    it("is ignored and counted, in one batch and in a later one", () => {
      const [a, b] = new TestSource().many(2);
      const { port, receipts } = run(of(batch(settle.release(a!), a!, b!), batch(settle.deadLetter(a!, "late"))));
      expect(port.sent.map(({ name }) => name)).toEqual(["settle"]);
      expect(port.settles[0]!.decisions).toEqual([{ verb: "release", id: "1-0" }, { verb: "ack", id: "2-0" }]); // prettier-ignore
      expect(receipts.values.map(counts)).toEqual([{ released: 1, acked: 1, repeated: 1 }, { repeated: 1 }]); // prettier-ignore
    });

    it("while the first is being written is ignored as well", () => {
      const source = new TestSource();
      const a = source.one("1-0");
      const input = new Subject<Flow<unknown>>();
      const port = new FakePort({ ack: (_ref, ids) => timer(10).pipe(mergeMap(() => of(ids.length))) });
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(a), 5: () => input.next(settle.release(a)), 20: () => input.complete() });
      expect(port.sent.map(({ name }) => name)).toEqual(["ack"]);
      expect(receipts.values.map(counts)).toEqual([{ acked: 1 }, { repeated: 1 }]);
      expect(source.ledger.unsettled).toBe(0);
    });
  });

  it("writes nothing for what was lost, and returns its credit", () => {
    const source = new TestSource();
    const [a, b] = source.many(2);
    source.lose(a!);
    const { port, receipts } = run(of(batch(a!, settle.deadLetter(b!, "bad"))));
    expect(port.settles[0]!.decisions.map(({ id }) => id)).toEqual(["2-0"]);
    expect(receipts.values.map(counts)).toEqual([{ notPending: 1, deadLettered: 1 }]);
    expect(source.ledger.unsettled).toBe(0);
  });

  it("sends nothing at all when everything was lost", () => {
    const source = new TestSource();
    const [a] = source.many(1);
    source.lose(a!);
    const { port, receipts } = run(of(a!));
    expect(port.sent).toEqual([]);
    expect(receipts.values.map(counts)).toEqual([{ notPending: 1 }]);
  });

  describe("when a write fails for the moment", () => {
    it.each([
      "Connection is closed.",
      "READONLY You can't write against a read only replica.",
      "LOADING Redis is loading the dataset in memory",
      "CLUSTERDOWN The cluster is down",
      "OOM command not allowed when used memory > 'maxmemory'.",
    ])("writes again after a growing wait until it is confirmed, and counts once: %s", (message) => {
      const source = new TestSource();
      const trouble = record(source.ledger.hindrances);
      const ack = inTurn<Observable<number>>(() => error(message), () => error(message), () => error(message), () => of(2)); // prettier-ignore
      const { port, receipts } = run(of(batch(...source.many(2))), { ack });
      trouble.stop();
      expect(port.timesOf("ack")).toEqual([0, 25, 75, 175]);
      expect(receipts).toMatchObject({ times: [175], ended: "complete" });
      expect(receipts.values.map(counts)).toEqual([{ acked: 2 }]);
      expect(trouble.values).toEqual([new Error(message), new Error(message), new Error(message)]);
      expect(source.ledger.unsettled).toBe(0);
    });

    it("never waits longer than 5 s", () => {
      vi.mocked(Math.random).mockReturnValue(0.999999);
      let attempts = 0;
      const { port } = run(of(batch(...new TestSource().many(1))), {
        ack: () => ((attempts += 1) < 15 ? error("Connection is closed.") : of(1)),
      });
      const times = port.timesOf("ack");
      const waits = times.slice(1).map((at, index) => at - times[index]!);
      expect(waits.slice(0, 3)).toEqual([50, 100, 200]);
      expect(Math.max(...waits)).toBe(5_000);
      expect(attempts).toBe(15);
    });

    it("repeats only the XACK that failed", () => {
      const [a, b] = new TestSource().many(2);
      let firstFailed = false;
      const ack: Answers["ack"] = (_ref, ids) => {
        if (ids[0] !== "2-0" || firstFailed) return of(ids.length);
        firstFailed = true;
        return error("Connection is closed.");
      };
      const { port, receipts } = run(of(batch(a!, settle.ack(b!, "filtered"))), { ack });
      expect(port.argsOf("ack").map(([, ids]) => ids)).toEqual([["1-0"], ["2-0"], ["2-0"]]);
      expect(receipts.values.map(counts)).toEqual([{ acked: 1, filtered: 1 }]);
    });

    it("repeats a script whose reply was lost, and counts what the first attempt had done as not pending", () => {
      const [a, b] = new TestSource().many(2);
      const answer = inTurn<Observable<readonly SettleOutcome[]>>(() => error("Connection is closed."), () => of([notPending, notPending])); // prettier-ignore
      const { receipts } = run(of(batch(settle.release(a!), b!)), { settle: answer });
      expect(receipts.values.map(counts)).toEqual([{ notPending: 2 }]);
    });

    it("repeats the one decision that could not be carried out, while the others are confirmed", () => {
      const source = new TestSource();
      const [a, b, c] = source.many(3);
      const answer = inTurn<Observable<readonly SettleOutcome[]>>(() => of([done, failed("OOM command not allowed when used memory > 'maxmemory'."), notPending]), () => of([done])); // prettier-ignore
      const { port, receipts } = run(of(batch(a!, settle.deadLetter(b!, "bad"), settle.release(c!))), { settle: answer });
      expect(port.settles.map(({ decisions }) => decisions.map(({ id }) => id))).toEqual([["1-0", "2-0", "3-0"], ["2-0"]]);
      expect(port.timesOf("settle")).toEqual([0, 25]);
      expect(receipts.values.map(counts)).toEqual([{ acked: 1, deadLettered: 1, notPending: 1 }]);
      expect(source.ledger.unsettled).toBe(0);
    });

    it("sends what is left as plain acks when nothing else is left", () => {
      const [a, b] = new TestSource().many(2);
      const answer = inTurn<Observable<readonly SettleOutcome[]>>(() => of([failed("BUSY Redis is busy running a script"), done]));
      const { port } = run(of(batch(a!, settle.release(b!))), { settle: answer });
      expect(port.sent.map(({ name }) => name)).toEqual(["settle", "ack"]);
    });

    it("goes on with other batches meanwhile", () => {
      const ack: Answers["ack"] = inTurn<Observable<number>>(() => error("Connection is closed."), () => of(1)); // prettier-ignore
      const [a, b] = new TestSource().many(2);
      const { receipts } = run(from([batch(a!), batch(b!)]), { ack });
      expect(receipts).toMatchObject({ times: [0, 25], ended: "complete" });
    });
  });

  it("settles a cause that cannot be described", () => {
    const delivery = new TestSource().one("1-0");
    const port = new FakePort();
    const input = new Subject<Flow<unknown>>();
    const receipts = record(input.pipe(acknowledge(port.client)));
    timeline({ 0: () => input.next(settle.deadLetter(delivery, undefined)), 1_000: () => receipts.stop() });
    expect(receipts.values.map(counts)).toEqual([{ deadLettered: 1 }]);
  });

  describe("when the group is missing", () => {
    const nogroup = "NOGROUP No such key 'orders' or consumer group 'shipping'";

    it("lets acks be, and retries, dead letters and releases wait for the group", () => {
      const source = new TestSource();
      const [a, b, c, d] = source.many(4);
      const answer = inTurn<Observable<readonly SettleOutcome[]>>(() => error(nogroup), () => error(nogroup), () => of([done, done, done])); // prettier-ignore
      const { port, receipts } = run(of(batch(a!, settle.retry(b!, { delayMs: 5 }), settle.deadLetter(c!, "bad"), settle.release(d!))), {
        settle: answer,
      });
      expect(port.settles.map(({ decisions }) => decisions.map(({ verb }) => verb))).toEqual([
        ["ack", "retry", "dead", "release"],
        ["retry", "dead", "release"],
        ["retry", "dead", "release"],
      ]);
      expect(receipts.values.map(counts)).toEqual([{ notPending: 1, retried: 1, deadLettered: 1, released: 1 }]);
      expect(source.ledger.unsettled).toBe(0);
    });

    it("gives all of them up once the source is over", () => {
      const source = new TestSource();
      const [a] = source.many(1);
      const decision = settle.retry(a!, { delayMs: 5 });
      const input = new Subject<Flow<unknown>>();
      const port = new FakePort({ settle: () => error(nogroup) });
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(decision), 10: () => source.ledger.abandon(new Error("over")), 20: () => input.complete() });
      expect(receipts.values.map(counts)).toEqual([{ notPending: 1 }]);
      expect(port.timesOf("settle")).toEqual([0, 25]);
      expect(receipts.ended).toBe("complete");
    });
  });

  describe("when a write can't heal", () => {
    it.each([
      ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
      ["NOPERM this user has no permissions to run the 'xack' command", "AccessError"],
      ["NOAUTH Authentication required.", "AccessError"],
      ["CROSSSLOT Keys in request don't hash to the same slot", "CommandError"],
    ])("errors, and closes the connection: %s", (message, tag) => {
      const { port, receipts } = run(concat(of(batch(...new TestSource().many(1))), NEVER), { ack: () => error(message) });
      expect(receipts.error).toMatchObject({ _tag: tag });
      expect(receipts.values).toEqual([]);
      expect(port.sent).toHaveLength(1);
      expect(port.open.commands).toBe(0);
    });

    it("errors for one decision that can't be carried out, too", () => {
      const { receipts } = run(of(settle.deadLetter(new TestSource().one("1-0"), "bad")), {
        settle: () => of([failed("WRONGTYPE Operation against a key holding the wrong kind of value")]),
      });
      expect(receipts.error).toMatchObject({ _tag: "WrongTypeError" });
    });

    it("gives no credit back: the source releases what was not settled", () => {
      const source = new TestSource();
      run(of(batch(...source.many(2))), { ack: () => error("WRONGTYPE wrong") });
      expect(source.ledger.unsettled).toBe(2);
    });
  });

  describe("single deliveries", () => {
    it("that arrive during a write go together in the next", () => {
      const source = new TestSource();
      const deliveries = source.many(5);
      const port = new FakePort({ ack: (_ref, ids) => timer(10).pipe(mergeMap(() => of(ids.length))) });
      const input = new Subject<Flow<unknown>>();
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({
        0: () => input.next(deliveries[0]!),
        3: () => [1, 2, 3].map((index) => input.next(deliveries[index]!)),
        12: () => input.next(deliveries[4]!),
        13: () => input.complete(),
      });
      expect(port.argsOf("ack").map(([, ids]) => ids)).toEqual([["1-0"], ["2-0", "3-0", "4-0"], ["5-0"]]);
      expect(receipts).toMatchObject({ times: [10, 20, 30], ended: "complete", endedAt: 30 });
    });

    it("do not wait for batches, nor batches for them", () => {
      const deliveries = new TestSource().many(3);
      const port = new FakePort({ ack: (_ref, ids) => timer(10).pipe(mergeMap(() => of(ids.length))) });
      const input = new Subject<Flow<unknown> | SettlementBatch>();
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(batch(deliveries[0]!)), 1: () => input.next(deliveries[1]!), 2: () => input.next(batch(deliveries[2]!)), 3: () => input.complete() }); // prettier-ignore
      expect(port.timesOf("ack")).toEqual([0, 1, 2]);
      expect(receipts.times).toEqual([10, 11, 12]);
    });

    it("in any number do not grow the stack when Redis answers at once", () => {
      const { receipts } = run(from(new TestSource({ window: 100_000 }).many(20_000)));
      expect(receipts.values.reduce((sum, { acked }) => sum + acked, 0)).toBe(20_000);
    });
  });

  describe("when the source ends", () => {
    const slow: Answers = { ack: (_ref, ids) => timer(10).pipe(mergeMap(() => of(ids.length))) };

    it("completes after the last confirmation, and closes the connection then", () => {
      const { port, receipts } = run(of(batch(...new TestSource().many(1))), slow);
      expect(receipts).toMatchObject({ times: [10], ended: "complete", endedAt: 10 });
      expect(port.open.commands).toBe(0);
    });

    it("passes its error after the writes under way, and those that waited, are confirmed", () => {
      const [a, b] = new TestSource().many(2);
      const { receipts } = run(concat(of(a!, b!), throwError(() => "broken")), slow); // prettier-ignore
      expect(receipts).toMatchObject({ times: [10, 20], ended: "error", endedAt: 20, error: "broken" });
      expect(receipts.values.map(counts)).toEqual([{ acked: 1 }, { acked: 1 }]);
    });

    it("is empty when the source is, never when it never emits, and errors when it does", () => {
      const port = new FakePort();
      marbles(({ expectObservable }) => {
        expectObservable(EMPTY.pipe(acknowledge(port.client))).toBe("|");
        expectObservable(NEVER.pipe(acknowledge(port.client)), "^--!").toBe("-");
        expectObservable(throwError(() => "error").pipe(acknowledge(port.client))).toBe("#");
      });
      expect(port.open.commands).toBe(0);
      expect(port.sent).toEqual([]);
    });

    it("writes nothing for an empty batch", () => {
      const { port, receipts } = run(of(batch()));
      expect(port.sent).toEqual([]);
      expect(receipts).toMatchObject({ values: [], ended: "complete" });
    });
  });

  describe("when it is unsubscribed", () => {
    it("lets go of the source and closes the connection", () => {
      const port = new FakePort();
      const input = new Subject<Flow<unknown>>();
      const receipts = record(input.pipe(acknowledge(port.client)));
      expect(port.open.commands).toBe(1);
      receipts.stop();
      expect(input.observed).toBe(false);
      expect(port.open.commands).toBe(0);
    });

    it("stops repeating a write that fails", () => {
      const port = new FakePort({ ack: () => error("Connection is closed.") });
      const input = new Subject<Flow<unknown>>();
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(new TestSource().one("1-0")), 30: () => receipts.stop() });
      expect(port.timesOf("ack")).toEqual([0, 25]);
    });
  });

  describe("when its source is over", () => {
    it("gives up after a grace what Redis does not answer, and completes", () => {
      const source = new TestSource();
      const input = new Subject<Flow<unknown>>();
      const port = new FakePort({ ack: () => NEVER });
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(source.one("1-0")), 10: () => source.ledger.abandon(new Error("over")), 11: () => input.complete() });
      expect(receipts).toMatchObject({ times: [2_010], ended: "complete", endedAt: 2_010 });
      expect(receipts.values.map(counts)).toEqual([{ notPending: 1 }]);
      expect(source.ledger.unsettled).toBe(0);
    });

    it("gives up within the grace what arrives only afterwards", () => {
      const source = new TestSource();
      const delivery = settle.release(source.one("1-0"));
      source.ledger.abandon(new Error("over"));
      expect(run(of(delivery)).receipts.values.map(counts)).toEqual([{ notPending: 1 }]); // lost: the source handed it back
    });

    it("still confirms within the grace what was on its way", () => {
      const source = new TestSource();
      const input = new Subject<Flow<unknown>>();
      const port = new FakePort({ ack: (_ref, ids) => timer(1_500).pipe(mergeMap(() => of(ids.length))) });
      const receipts = record(input.pipe(acknowledge(port.client)));
      timeline({ 0: () => input.next(source.one("1-0")), 10: () => source.ledger.abandon(new Error("over")), 11: () => input.complete() });
      expect(receipts).toMatchObject({ times: [1_500], ended: "complete" });
      expect(receipts.values.map(counts)).toEqual([{ acked: 1 }]);
    });
  });

  it("leaves no listener at the source behind", () => {
    const ledger = new CreditLedger(10);
    const stops: (() => void)[] = [];
    const watch = ledger.watch.bind(ledger);
    vi.spyOn(ledger, "watch").mockImplementation((watcher) => {
      const stop = vi.fn(watch(watcher));
      stops.push(stop);
      return stop;
    });
    run(of(batch(...new TestSource({}, ledger).many(3))));
    expect(stops).toHaveLength(1);
    expect(stops[0]).toHaveBeenCalledTimes(1);
  });

  it("marks what it is given as settling at once", () => {
    const items = new TestSource().many(2);
    const receipts = record(concat(of(batch(...items)), NEVER).pipe(acknowledge(new FakePort({ ack: () => NEVER }).client)));
    expect(items.map(stateOf)).toEqual(["settling", "settling"]);
    receipts.stop();
  });

  it("opens a connection per subscription", () => {
    const port = new FakePort();
    const sink$ = NEVER.pipe(acknowledge(port.client));
    expect(port.open.commands).toBe(0);
    const both = [record(sink$), record(sink$)];
    expect(port.open.commands).toBe(2);
    both.forEach(({ stop }) => stop());
    expect(port.open.commands).toBe(0);
  });

  it("errors the pipeline for what is no delivery of a source, instead of the process", () => {
    const copy = Object.assign({ _tag: "Delivery" }, new TestSource().one("1-0")) as unknown as Flow<unknown>;
    const input = new Subject<Flow<unknown>>();
    const receipts = record(input.pipe(acknowledge(new FakePort().client)));
    timeline({ 1: () => input.next(copy), 2: () => input.complete() });
    expect(receipts.error).toBeInstanceOf(TypeError);
  });

  it.each([
    [{ mode: "nack" as never }, /^Expected `mode` to be one of "ack", "ackAndDelete"/],
    [{ deadLetterStream: "" }, /^Expected `deadLetterStream` to be a string that is not empty/],
  ])("refuses %j when it is called", (options, message) => expect(() => acknowledge(new FakePort().client, options)).toThrow(message));

  it.each([undefined, null, {}, 5])("refuses %s for a client", (client) => {
    expect(() => acknowledge(client as never)).toThrow(/^Expected a `Redis` or `Cluster` of ioredis 5 or 6/);
  });
});

import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as E from "fp-ts/lib/Either.js";
import { concat, EMPTY, from, lastValueFrom, map, NEVER, of, Subject, throwError, toArray } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { DecodeError } from "../../src/errors.js";
import type { Fields } from "../../src/model/fields.js";
import { settle, type Flow, type Settled } from "../../src/model/settlement.js";
import { decode, type Codec } from "../../src/operators/decode.js";
import { stateOf, summary, TestSource } from "../support/deliveries.js";
import { marbles, record } from "../support/virtual-time.js";

const Order = z.object({ orderId: z.string(), amount: z.coerce.number().positive() });

/** A schema that is asked once per value, and answers when the test says so. */
function askedSchema(): { schema: StandardSchemaV1<unknown, string>; answers: PromiseWithResolvers[] } {
  const answers: PromiseWithResolvers[] = [];
  const validate = (): Promise<StandardSchemaV1.Result<string>> =>
    new Promise((resolve, reject) => {
      answers.push({ resolve: (value) => resolve({ value }), reject });
    });
  return { schema: { "~standard": { version: 1, vendor: "test", validate } }, answers };
}
interface PromiseWithResolvers {
  readonly resolve: (value: string) => void;
  readonly reject: (error: unknown) => void;
}

const run = (items: readonly Flow<Fields>[], codec: Codec<Fields, unknown>): Promise<Flow<unknown>[]> =>
  lastValueFrom(from(items).pipe(decode(codec), toArray()), { defaultValue: [] });

const causeOf = (item: Flow<unknown> | undefined): unknown => {
  const { settlement } = item as Settled<unknown>;
  return settlement._tag === "DeadLetter" ? settlement.cause : undefined;
};
const tick = (): Promise<void> => Promise.resolve();

describe("decode", () => {
  it("puts what a schema reads in the delivery", async () => {
    const source = new TestSource();
    const items = [source.one("1-0", { orderId: "a", amount: "5" }), source.one("2-0", { orderId: "b", amount: "7" })];
    expect((await run(items, Order)).map(summary)).toEqual(['1-0 = {"orderId":"a","amount":5}', '2-0 = {"orderId":"b","amount":7}']);
  });

  it("settles what a schema refuses as a dead letter that says where and why, and goes on", async () => {
    const source = new TestSource();
    const items = [source.one("1-0", { orderId: "a", amount: "-1" }), source.one("2-0", { orderId: "b", amount: "7" })];
    const [bad, good] = await run(items, Order);
    expect(summary(bad!)).toMatch(/^1-0 dead amount: /);
    expect(causeOf(bad)).toBeInstanceOf(DecodeError);
    expect((causeOf(bad) as DecodeError).cause).toEqual([expect.objectContaining({ path: ["amount"] })]);
    expect(summary(good!)).toBe('2-0 = {"orderId":"b","amount":7}');
    expect(stateOf(bad!)).toBe("open"); // a decision is data: the sink carries it out
  });

  it("names all issues of an entry", async () => {
    const [bad] = await run([new TestSource().one("1-0", {})], Order);
    expect(summary(bad!)).toMatch(/orderId: .*; amount: /);
  });

  it("names places that are given as objects, and issues without a place", async () => {
    const issues = [{ message: "odd", path: [{ key: "a" }, 0, Symbol.for("s")] }, { message: "no good" }];
    const schema: StandardSchemaV1<unknown, string> = { "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } };
    const [bad] = await run([new TestSource().one("1-0")], schema);
    expect(summary(bad!)).toBe("1-0 dead a.0.Symbol(s): odd; no good");
  });

  it("takes a function that answers an Either", async () => {
    const source = new TestSource();
    const codec = ({ n }: Fields): E.Either<string, number> => (n === "bad" ? E.left("no number") : E.right(Number(n)));
    const items = [source.one("1-0", { n: "5" }), source.one("2-0", { n: "bad" })];
    const [good, bad] = await run(items, codec);
    expect([good!, bad!].map(summary)).toEqual(["1-0 = 5", "2-0 dead no number"]);
    expect((causeOf(bad) as DecodeError).cause).toBe("no number");
  });

  it.each([
    ["an error", new TypeError("no"), "no"],
    ["undefined", undefined, "undefined"],
    ["an object", { code: 7 }, "{ code: 7 }"],
  ])("takes a Left of %s", async (_, left, message) => {
    const [bad] = await run([new TestSource().one("1-0")], () => E.left(left));
    expect(causeOf(bad)).toMatchObject({ _tag: "DecodeError", message });
    expect((causeOf(bad) as DecodeError).cause).toBe(left);
  });

  it("takes an exception of a codec for a failed read", async () => {
    const thrown = new TypeError("bug in the codec");
    const throwing = (): never => {
      throw thrown;
    };
    const schema: StandardSchemaV1<unknown, never> = { "~standard": { version: 1, vendor: "test", validate: throwing } };
    for (const codec of [throwing, schema]) {
      const [bad] = await run([new TestSource().one("1-0")], codec);
      expect(causeOf(bad)).toMatchObject({ _tag: "DecodeError", message: "bug in the codec", cause: thrown });
    }
  });

  it("takes a rejection of a schema for a failed read", async () => {
    const { schema, answers } = askedSchema();
    const outcome = run([new TestSource().one("1-0")], schema);
    answers[0]!.reject(new Error("lookup failed"));
    expect((await outcome).map(summary)).toEqual(["1-0 dead lookup failed"]);
  });

  it("lets what is settled pass, and does not ask the codec about it", async () => {
    const codec = vi.fn(() => E.right(1));
    const items = [settle.ack(new TestSource().one("1-0"), "duplicate")];
    expect(await run(items, codec)).toEqual(items);
    expect(codec).not.toHaveBeenCalled();
  });

  it("keeps the order with an asynchronous schema, whichever answer comes first", async () => {
    const { schema, answers } = askedSchema();
    const settled = settle.release(new TestSource().one("9-0"));
    const [one, two, three] = new TestSource().many(3);
    const recording = record(from([one!, settled, two!, three!]).pipe(decode<Fields, string>(schema), map(summary)));
    answers[2]!.resolve("third");
    answers[1]!.reject("second");
    await tick();
    expect(recording.values).toEqual([]);
    answers[0]!.resolve("first");
    await vi.waitFor(() => expect(recording.ended).toBe("complete"));
    expect(recording.values).toEqual(['1-0 = "first"', "9-0 release", "2-0 dead second", '3-0 = "third"']);
  });

  it("asks an asynchronous schema about several at a time, in the order of arrival", () => {
    const { schema, answers } = askedSchema();
    const recording = record(concat(from(new TestSource().many(3)), NEVER).pipe(decode(schema)));
    expect(answers).toHaveLength(3);
    recording.stop();
  });

  it("reads the same delivery as often as it comes", async () => {
    const delivery = new TestSource().one("1-0", { n: "5" });
    const codec = ({ n }: Fields): E.Either<never, number> => E.right(Number(n));
    expect((await run([delivery, delivery], codec)).map(summary)).toEqual(["1-0 = 5", "1-0 = 5"]);
  });

  it("is as synchronous as its schema: no microtask between source and result", () => {
    const recording = record(from(new TestSource().many(3)).pipe(decode(() => E.right(1))));
    expect(recording.values).toHaveLength(3);
    expect(recording.ended).toBe("complete");
  });

  it("subscribes and completes with its source", () => {
    const a = new TestSource().one("1-0", { n: "5" });
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold("--a-|", { a });
      expectObservable(
        source$.pipe(
          decode(({ n }) => E.right(n)),
          map(({ _tag }) => _tag),
        ),
      ).toBe("--a-|", { a: "Delivery" });
      expectObservable(source$.pipe(decode(() => E.right(1))), "^!").toBe("-");
      expectSubscriptions(source$.subscriptions).toBe(["^---!", "^!"]);
      expectObservable(EMPTY.pipe(decode(() => E.right(1)))).toBe("|");
      expectObservable(NEVER.pipe(decode(() => E.right(1)))).toBe("-");
      expectObservable(throwError(() => "error").pipe(decode(() => E.right(1)))).toBe("#");
    });
  });

  it("completes after the last answer", async () => {
    const { schema, answers } = askedSchema();
    const recording = record(of(new TestSource().one("1-0")).pipe(decode(schema)));
    await tick();
    expect(recording.ended).toBeUndefined();
    answers[0]!.resolve("late");
    await vi.waitFor(() => expect(recording.ended).toBe("complete"));
    expect(recording.values.map(summary)).toEqual(['1-0 = "late"']);
  });

  it("passes the source's error at once, and nothing after it", async () => {
    const { schema, answers } = askedSchema();
    const input = new Subject<Flow<Fields>>();
    const recording = record(input.pipe(decode(schema)));
    input.next(new TestSource().one("1-0"));
    input.error("broken");
    expect(recording.error).toBe("broken");
    answers[0]!.resolve("late");
    await tick();
    expect(recording.values).toEqual([]);
  });

  it("emits nothing after it is unsubscribed, whatever is answered then", async () => {
    const { schema, answers } = askedSchema();
    const input = new Subject<Flow<Fields>>();
    const recording = record(input.pipe(decode(schema)));
    new TestSource().many(2).forEach((delivery) => input.next(delivery));
    recording.stop();
    expect(input.observed).toBe(false);
    answers.forEach(({ resolve }) => resolve("late"));
    await tick();
    expect(recording.values).toEqual([]);
  });

  it("decodes what another decode has read", () => {
    const items$ = of(new TestSource().one("1-0", { n: "5" })).pipe(
      decode(({ n }: Fields) => E.right(Number(n))),
      decode((n: number) => E.right(n + 1)),
    );
    expect(record(items$).values.map(summary)).toEqual(["1-0 = 6"]);
  });

  it.each([undefined, null, 5, {}])("refuses %s when it is called", (codec) => {
    expect(() => decode(codec as never)).toThrow(
      new TypeError("Expected `codec` to be a Standard Schema or a function that returns an Either"),
    );
  });
});

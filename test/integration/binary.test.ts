import { concatMap, map, tap, type Observable } from "rxjs";
import {
  acknowledge,
  bufferAck,
  decode,
  fromClaims,
  fromDeadLetters,
  fromGroup,
  fromRange,
  fromStream,
  json,
  settle,
  type BinaryFields,
  type Delivery,
} from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { until } from "../support/until.js";
import { afterwards, helperKeys, total, workbench, type Workbench } from "../support/workbench.js";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const noUtf8 = Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]);
const empty = Buffer.alloc(0);
const name = (text: string): Buffer => Buffer.from(text);

/** Every byte there is, what is no UTF-8, nothing, a name of bytes and a name that repeats. */
const oddPairs = [name("all"), everyByte, name("bad"), noUtf8, name("none"), empty, everyByte, noUtf8, name("bad"), empty];

async function addOdd({ redis, stream }: Pick<Workbench, "redis" | "stream">): Promise<string> {
  return String(await redis.xadd(stream, "*", ...oddPairs));
}

function expectOdd({ bytes, value }: Delivery<BinaryFields>): void {
  expect(bytes).toEqual(oddPairs);
  expect(value["all"]).toEqual(everyByte);
  expect(value["bad"]).toEqual(empty); // the last of the name
  expect(value["none"]).toEqual(empty);
  expect(value[everyByte.toString()]).toEqual(noUtf8);
}

/** What the dead-letter stream has behind the note, byte for byte. */
async function buried({ redis, stream, group }: Workbench): Promise<Buffer[]> {
  const [letter] = await redis.xrangeBuffer(helperKeys(stream, group)[0], "-", "+");
  return letter![1].slice(2);
}

describe('payload: "buffer"', () => {
  it("hands out what is new as the bytes it is, ids and counts as ever", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    const id = await addOdd(bench);
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0", payload: "buffer" }));
    await until(() => pipeline.values.length === 1, "it is delivered");
    const [delivery] = pipeline.values;
    expectOdd(delivery!);
    expect(delivery).toMatchObject({ id, stream, deliveryCount: 1 });
    expect(delivery!.pairs).toEqual(oddPairs.map(String));
    expect(delivery!.map((fields) => fields["all"]!.length)).toMatchObject({ value: 256, bytes: oddPairs });
  });

  it("takes 5 MB, and several streams", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    const other = `${stream}:other`;
    afterwards(() => redis.del(other));
    const large = Buffer.alloc(5 * 2 ** 20, everyByte);
    await redis.xadd(stream, "*", "large", large);
    await redis.xadd(other, "*", ...oddPairs);
    const pipeline = run(fromGroup(redis, { stream: [stream, other], group, startId: "0", payload: "buffer" }));
    await until(() => pipeline.values.length === 2, "both are delivered");
    expect(pipeline.values.find((each) => each.stream === stream)!.value["large"]!.equals(large)).toBe(true);
    expectOdd(pipeline.values.find((each) => each.stream === other)!);
  });

  it("keeps the bytes through a retry that is due, and counts it", async () => {
    const bench = workbench();
    const { redis, stream, group, run, pending } = bench;
    const id = await addOdd(bench);
    const seen: Delivery<BinaryFields>[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0", payload: "buffer" }).pipe(
        tap((delivery) => seen.push(delivery)),
        map((delivery) => (delivery.deliveryCount === 1 ? settle.retry(delivery, { delayMs: 20 }) : delivery)),
        acknowledge(redis),
      ),
    );
    await until(async () => seen.length === 2 && (await pending()) === 0, "it is delivered again and acknowledged");
    seen.forEach(expectOdd);
    expect(seen.map((delivery) => [delivery.id, delivery.deliveryCount])).toEqual([[id, 1], [id, 2]]); // prettier-ignore
  });

  it("keeps the bytes of what a former life had, and of what others left", async () => {
    const bench = workbench();
    const { redis, stream, group, run, pending } = bench;
    await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
    const ids = [await addOdd(bench), await addOdd(bench)];
    await redis.xreadgroup("GROUP", group, "me", "COUNT", 1, "STREAMS", stream, ">");
    await redis.xreadgroup("GROUP", group, "dead", "COUNT", 1, "STREAMS", stream, ">");
    const seen: Delivery<BinaryFields>[] = [];
    const noteAndAck = (source: Observable<Delivery<BinaryFields>>): Observable<unknown> =>
      source.pipe(tap((delivery) => seen.push(delivery)), acknowledge(redis)); // prettier-ignore
    run(noteAndAck(fromGroup(redis, { stream, group, startId: "0", consumer: "me", payload: "buffer", recover: false })));
    await until(async () => (await pending()) === 1, "its own is taken up");
    run(noteAndAck(fromClaims(redis, { stream, group, minIdleMs: 100, everyMs: 20, payload: "buffer" })));
    await until(async () => (await pending()) === 0, "the other one is claimed");
    seen.forEach(expectOdd);
    expect(seen.map((delivery) => [delivery.id, delivery.deliveryCount])).toEqual(ids.map((id) => [id, 2]));
  });

  it("reads bytes without a group as well: a stream with its retries, and a range", async () => {
    const bench = workbench();
    const { redis, stream, run } = bench;
    const id = await addOdd(bench);
    const seen: Delivery<BinaryFields>[] = [];
    const tail = run(
      fromStream(redis, { stream, from: "0", payload: "buffer" }).pipe(
        tap((delivery) => seen.push(delivery)),
        map((delivery) => (delivery.deliveryCount === 1 ? settle.retry(delivery, { delayMs: 20 }) : delivery)),
        acknowledge(redis),
      ),
    );
    await until(() => total(tail.values, "acked") === 1, "it is delivered again and acknowledged");
    seen.forEach(expectOdd);
    expect(seen.map((delivery) => [delivery.id, delivery.deliveryCount])).toEqual([[id, 1], [id, 2]]); // prettier-ignore
    for (const reverse of [false, true]) {
      const range = run(fromRange(redis, { stream, reverse, payload: "buffer" }));
      await until(() => range.values.length === 1, "the range is read");
      expectOdd(range.values[0]!);
    }
  });

  it("skips what was deleted while pending, and says so", async () => {
    const bench = workbench();
    const { redis, stream, group, run, pending } = bench;
    await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
    const gone = await addOdd(bench);
    await redis.xreadgroup("GROUP", group, "me", "STREAMS", stream, ">");
    await redis.xdel(stream, gone);
    const statuses: unknown[] = [];
    const status = { next: (each: unknown) => void statuses.push(each) };
    run(fromGroup(redis, { stream, group, startId: "0", consumer: "me", payload: "buffer", status }));
    await until(async () => (await pending()) === 0, "it is out of the group");
    expect(statuses).toContainEqual({ _tag: "tombstone", stream, ids: [gone] });
  });

  for (const payload of ["string", "buffer"] as const) {
    it(`moves the bytes that are in the stream to the dead letters, with payload "${payload}" too`, async () => {
      const bench = workbench();
      const { redis, stream, group, run, deadLetters } = bench;
      await addOdd(bench);
      const options = { stream, group, startId: "0" };
      const source: Observable<Delivery<unknown>> =
        payload === "buffer" ? fromGroup(redis, { ...options, payload }) : fromGroup(redis, options);
      run(source.pipe(map((delivery) => settle.deadLetter(delivery, "bad")), bufferAck(), acknowledge(redis))); // prettier-ignore
      await until(async () => (await deadLetters()).length === 1, "it is a dead letter");
      expect(await buried(bench)).toEqual(oddPairs);
    });
  }

  it("moves what was trimmed meanwhile with the bytes it was delivered with; dead letters read back as they were", async () => {
    const bench = workbench();
    const { redis, stream, group, run, deadLetters, pending } = bench;
    const ids = [await addOdd(bench), await addOdd(bench), await addOdd(bench)];
    run(
      fromGroup(redis, { stream, group, startId: "0", payload: "buffer" }).pipe(
        map((delivery) => (delivery.id === ids[1] ? delivery : settle.deadLetter(delivery, new Error("bad")))),
        bufferAck({ maxSize: 3, maxWaitMs: 60_000 }),
        concatMap(async (batch) => {
          await redis.xdel(stream, ids[0]!);
          return batch;
        }),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 2, "they are dead letters");
    expect(await pending()).toBe(0);
    const letters = run(fromDeadLetters(redis, { stream, group, payload: "buffer" }));
    await until(() => letters.isDone, "they are read");
    for (const letter of letters.values) {
      expect(letter.bytes).toEqual(oddPairs);
      expect(letter.fields["all"]).toEqual(everyByte);
      expect(letter.cause.message).toBe("bad");
    }
    expect(letters.values.map(({ origin }) => origin.id).sort()).toEqual([ids[0], ids[2]]);
    const texts = run(fromDeadLetters(redis, { stream, group }));
    await until(() => texts.isDone, "they are read as text");
    expect(texts.values[0]!.pairs).toEqual(oddPairs.map(String));
  });

  for (const trimmed of [false, true]) {
    it(`keeps the bytes of a dead letter with more fields than a script can pass on${trimmed ? ", trimmed meanwhile" : ""}`, async () => {
      const { redis, stream, group, run, deadLetters } = workbench();
      const pairs = Array.from({ length: 8_000 }, (_, n) => Buffer.concat([name(String(n)), everyByte]));
      const id = await redis.xadd(stream, "*", ...pairs);
      run(
        fromGroup(redis, { stream, group, startId: "0", payload: "buffer" }).pipe(
          concatMap(async (delivery) => {
            if (trimmed) await redis.xdel(stream, id!);
            return settle.deadLetter(delivery, "wide");
          }),
          acknowledge(redis),
        ),
      );
      await until(async () => (await deadLetters()).length === 1, "it is a dead letter");
      const letters = run(fromDeadLetters(redis, { stream, group, payload: "buffer" }));
      await until(() => letters.isDone, "it is read");
      const { bytes } = letters.values[0]!;
      expect(bytes).toHaveLength(8_000);
      expect(Buffer.concat(bytes).equals(Buffer.concat(pairs))).toBe(true);
    });
  }

  it("decodes JSON from bytes, and makes what is no UTF-8 a dead letter", async () => {
    const { redis, stream, group, run, deadLetters } = workbench();
    await redis.xadd(stream, "*", "payload", JSON.stringify({ text: "grüße" }));
    await redis.xadd(stream, "*", "payload", Buffer.concat([Buffer.from('"'), noUtf8, Buffer.from('"')]));
    const values: unknown[] = [];
    run(
      fromGroup(redis, { stream, group, startId: "0", payload: "buffer" }).pipe(
        decode(json("payload")),
        tap((item) => item._tag === "Delivery" && values.push(item.value)),
        acknowledge(redis),
      ),
    );
    await until(async () => (await deadLetters()).length === 1, "the second is a dead letter");
    expect(values).toEqual([{ text: "grüße" }]);
    const [letter] = await deadLetters();
    expect(JSON.parse(letter![1][1]!)).toMatchObject({ cause: { name: "DecodeError", message: "payload: the bytes are no UTF-8" } });
  });

  it("is text unless asked for, whose bytes are the text encoded again", async () => {
    const bench = workbench();
    const { redis, stream, group, run } = bench;
    await addOdd(bench);
    const pipeline = run(fromGroup(redis, { stream, group, startId: "0" }));
    await until(() => pipeline.values.length === 1, "it is delivered");
    const [delivery] = pipeline.values;
    expect(delivery!.value["bad"]).toBe("");
    expect(delivery!.bytes).toEqual(oddPairs.map((bytes) => Buffer.from(bytes.toString())));
    expect(delivery!.bytes).toBe(delivery!.bytes);
  });
});

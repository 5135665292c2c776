import { isDeepStrictEqual } from "node:util";
import type { Payload } from "../../src/model/payload.js";
import type { ReaderKind } from "../../src/model/reader-kind.js";
import { IoredisReader } from "../../src/redis/ioredis-reader.js";
import { Chance, replyToOther, replyToRead } from "./random-replies.js";
import { cutAt, resp } from "./resp.js";
import { scriptedRedis, type ScriptedRedis } from "./scripted-redis.js";
import { until } from "./until.js";

/** Both readers on connections of their own, which are brought the same bytes in the same chunks. */
export interface ReplyDuel {
  /** How many replies to reads never came to ioredis' decoder. */
  readonly taken: number;
  /** Some commands, answered at once; throws when the outcomes differ. How many replies that were. */
  readonly round: (seed: number) => Promise<number>;
  readonly close: () => void;
}

interface Side extends ScriptedRedis {
  readonly reader: IoredisReader;
}

export async function replyDuel(payload: Payload, protocol: 2 | 3): Promise<ReplyDuel> {
  let taken = 0;
  const open = async (reader: ReaderKind): Promise<Side> => {
    let made!: IoredisReader;
    const scripted = scriptedRedis({ protocol, replyMapping: "legacy" }, (redis) => {
      if (reader === "fast") countNulls(redis, () => (taken += 1));
      made = new IoredisReader(
        () => redis,
        (stream) => stream,
        { payload, reader },
      );
    });
    if (protocol === 3) {
      await until(() => scripted.sent().toLowerCase().includes("hello"), "the client says hello", { everyMs: 1 });
      scripted.answer(resp.map([resp.string("proto"), resp.integer(3)]));
    }
    await until(() => scripted.redis.status === "ready", "the client is ready", { everyMs: 1 });
    return { ...scripted, reader: made };
  };
  const sides = [await open("fast"), await open("portable")] as const;
  return {
    get taken() {
      return taken;
    },
    round: (seed) => fight(sides, seed, protocol),
    close: () => sides.forEach(({ redis }) => redis.disconnect()),
  };
}

/** What a read of ours is resolved to by the tap. */
function countNulls(redis: ScriptedRedis["redis"], count: () => void): void {
  const call = redis.callBuffer.bind(redis) as (...args: string[]) => Promise<unknown>;
  Object.assign(redis, {
    callBuffer: async (...args: string[]) => {
      const reply = await call(...args);
      if (reply === null) count();
      return reply;
    },
  });
}

async function fight(sides: readonly [Side, Side], seed: number, protocol: 2 | 3): Promise<number> {
  const chance = new Chance(seed);
  const commands = Array.from({ length: 1 + chance.below(3) }, () => chance.pick(["read", "read", "claim", "other"] as const));
  const replies = commands.map((kind) =>
    kind === "other" ? replyToOther(chance, protocol) : replyToRead(chance, kind === "claim", protocol),
  );
  const pushed = protocol === 3 && chance.once(5) ? [resp.push([resp.string("invalidate"), resp.list([resp.string("key")])])] : [];
  const bytes = Buffer.concat([...pushed, ...replies]);
  const places = chance.list(chance.pick([0, 2, 12]), () => chance.below(bytes.length + 1));
  const chunks = chance.once(10) && bytes.length < 3_000 ? cutAt(bytes, [...bytes.keys()]) : cutAt(bytes, places);
  const [fast, portable] = await Promise.all(sides.map((side) => outcomes(side, commands, chunks)));
  if (!isDeepStrictEqual(fast, portable)) throw new Error(`The readers differ, seed ${seed}: ${show(fast)}\n${show(portable)}`);
  return replies.length;
}

function outcomes(
  { reader, redis, answer }: Side,
  commands: readonly ("read" | "claim" | "other")[],
  chunks: readonly Buffer[],
): Promise<unknown[]> {
  const base = { group: "g", consumer: "c", streams: ["orders", "{a}:b", "übung"], count: 10, blockMs: 1 };
  const sent = commands.map((kind) =>
    kind === "other" ? redis.callBuffer("lrange", "a", "0", "1") : reader.read(kind === "claim" ? { ...base, claimIdleMs: 1_000 } : base),
  );
  const settled = Promise.all(sent.map((each) => each.catch((error: unknown) => `failed: ${String(error)}`)));
  answer(...chunks.map((chunk) => Buffer.from(chunk)));
  return settled;
}

const show = (outcome: unknown): string => JSON.stringify(outcome).slice(0, 400);

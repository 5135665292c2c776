import type { Redis } from "./ioredis.js";

/** Small entries, added and given to consumers on the server itself: a million in a few seconds. */
const fill = `
local stream, group, from, count = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for n = from, from + count - 1 do redis.call('XADD', stream, '1-' .. (n + 1), 'n', n) end
redis.call('XREADGROUP', 'GROUP', group, 'gone', 'COUNT', count, 'STREAMS', stream, '>')`;

const schedule = `
for n = tonumber(ARGV[2]), tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1 do redis.call('ZADD', KEYS[1], ARGV[1], '1-' .. (n + 1)) end`;

const step = 10_000;

/** Makes a group in which so many entries are pending for the consumer "gone", with the ids 1-1, 1-2 … */
export async function fillPel(redis: Redis, stream: string, group: string, count: number): Promise<void> {
  await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
  for (let from = 0; from < count; from += step) await redis.eval(fill, 1, stream, group, from, Math.min(step, count - from));
}

/** Lets the first of them wait for a retry that is due in a day. */
export async function scheduleAll(redis: Redis, key: string, count: number): Promise<void> {
  const due = Date.now() + 86_400_000;
  for (let from = 0; from < count; from += step) await redis.eval(schedule, 1, key, due, from, Math.min(step, count - from));
}

/** What commands cost the server since the last `resetCosts`. */
export interface Cost {
  readonly calls: number;
  /** Mean, µs. */
  readonly meanMicros: number;
  /** The greatest, µs, rounded up to a power of two. */
  readonly maxMicros: number;
}

/** Everything above 5 ms is logged from now on. */
export async function resetCosts(redis: Redis): Promise<void> {
  await redis.config("SET", "slowlog-log-slower-than", "5000");
  await redis.config("RESETSTAT");
  await redis.call("slowlog", "reset");
}

/** Per command, by its name in lower case. */
export async function costs(redis: Redis): Promise<Record<string, Cost>> {
  const info = await redis.info("commandstats");
  const histograms = toMap(await redis.call("latency", "histogram"));
  return Object.fromEntries(
    [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+),usec=\d+,usec_per_call=([\d.]+)/gm)].map(([, name = "", calls, mean]) => {
      const steps = toMap(toMap(histograms.get(name)).get("histogram_usec"));
      return [name, { calls: Number(calls), meanMicros: Number(mean), maxMicros: Math.max(0, ...[...steps.keys()].map(Number)) }];
    }),
  );
}

export async function slowCommands(redis: Redis): Promise<string[]> {
  const log = (await redis.call("slowlog", "get", "100")) as [number, number, number, string[]][];
  return log.map(([, , micros, words]) => `${micros} µs: ${words.slice(0, 8).join(" ").slice(0, 200)}`);
}

function toMap(reply: unknown): Map<string, unknown> {
  const list = Array.isArray(reply) ? (reply as unknown[]) : [];
  return new Map(Array.from({ length: list.length / 2 }, (_, index) => [String(list[2 * index]), list[2 * index + 1]]));
}

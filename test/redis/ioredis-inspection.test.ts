import * as O from "fp-ts/lib/Option.js";
import { from, lastValueFrom } from "rxjs";
import { describe, expect, it } from "vitest";
import { toPort } from "../../src/redis/ioredis-adapter.js";
import type { StreamInspection } from "../../src/redis/port.js";
import { idOf } from "../support/deliveries.js";
import { FakeClient } from "../support/fake-client.js";

const ref = { stream: "orders", group: "shipping" };

const answer = <A>(input: unknown): Promise<A> => lastValueFrom(from(input as Promise<A>));

/** An inspection whose server answers by the command's first words. */
function inspect(replies: Readonly<Record<string, unknown>>, options: object = {}): [StreamInspection, FakeClient] {
  const reply = (command: string, ...args: unknown[]): unknown => {
    const found = replies[`${command} ${String(args[0])}`] ?? replies[command] ?? null;
    return found instanceof Error ? Promise.reject(found) : found;
  };
  const client = new FakeClient(options, { reply });
  return [toPort(client).openInspection(), client];
}

const stream = [
  ...["length", 2, "entries-added", 5, "last-generated-id", "9-0"],
  ...["first-entry", ["8-0", ["a", "1"]], "last-entry", ["9-0", ["a", "12345"]]],
];

describe("an inspection", () => {
  it("asks a master, also behind a Sentinel where the user's client reads from replicas", () => {
    const [, client] = inspect({}, { role: "slave" });
    expect(client.duplicates[0]!.args).toMatchObject([{ role: "master", connectionName: "rxjs-redis-streams:commands" }]);
    const cluster = new FakeClient({}, { isCluster: true });
    toPort(cluster).openInspection();
    expect(cluster.duplicates[0]!.args[1]).toMatchObject({ scaleReads: "master" });
  });

  it("reads the clock, the stream and its groups, by the keys behind their names", async () => {
    const groups = [["name", "shipping", "consumers", 1, "pending", 2, "last-delivered-id", "8-0", "entries-read", null, "lag", null]];
    const replies = { time: ["1700000000", "123999"], "xinfo stream": stream, "xinfo groups": groups };
    const [inspection, client] = inspect(replies, { keyPrefix: "app:" });
    expect(await answer(inspection.overview("orders"))).toEqual({
      at: 1_700_000_000_123,
      stream: { length: 2, entriesAdded: 5, ends: { first: idOf(8), last: idOf(9) }, entryBytes: 6 },
      groups: [{ name: "shipping", consumers: 1, pending: 2, lastDeliveredId: idOf(8), entriesRead: O.none, lag: O.none }],
    });
    expect(client.latest.calls).toEqual([["time"], ["xinfo", "stream", "app:orders"], ["xinfo", "groups", "app:orders"]]);
  });

  it("takes a stream that is missing, or empty, for an answer", async () => {
    const missing = new Error("ERR no such key");
    const [none] = inspect({ time: [1, 0], "xinfo stream": missing, "xinfo groups": missing });
    expect(await answer(none.overview("orders"))).toEqual({ at: 1_000, stream: undefined, groups: [] });
    const empty = ["length", 0, "first-entry", null, "last-entry", null];
    const [some] = inspect({ time: [1, 0], "xinfo stream": empty, "xinfo groups": [] });
    expect(await answer(some.overview("orders"))).toMatchObject({
      stream: { length: 0, entriesAdded: undefined, ends: undefined, entryBytes: 0 },
    });
  });

  it("reads what belongs to a group at once, dead letters beside the stream or elsewhere", async () => {
    const replies = {
      "xinfo consumers": [["name", "me", "pending", 1, "idle", 7, "inactive", -1]],
      xpending: [["8-0", "me", 7, 2]],
      zcard: 3,
      zrange: ["8-0", "1700000000500"],
      xlen: 4,
    };
    const [inspection, client] = inspect(replies, { keyPrefix: "app:" });
    expect(await answer(inspection.details(ref, { deadLetterStream: undefined, rows: 10 }))).toMatchObject({
      consumers: [{ name: "me", pending: 1, idleMs: 7, inactiveMs: O.none }],
      pending: [{ id: "8-0", consumer: "me", idleMs: 7, deliveryCount: 2 }],
      retriesWaiting: 3,
      nextRetryAt: 1_700_000_000_500,
      deadLetters: 4,
    });
    expect(client.latest.calls).toEqual([
      ["xinfo", "consumers", "app:orders", "shipping"],
      ["xpending", "app:orders", "shipping", "-", "+", 10],
      ["zcard", "{app:orders}:retry:shipping"],
      ["zrange", "{app:orders}:retry:shipping", 0, 0, "withscores"],
      ["xlen", "{app:orders}:dlq:shipping"],
    ]);
    await answer(inspection.details(ref, { deadLetterStream: "dead", rows: 10 }));
    expect(client.latest.calls.at(-1)).toEqual(["xlen", "app:dead"]);
  });

  it("takes a group that is missing for an answer", async () => {
    const missing = new Error("NOGROUP No such consumer group 'shipping' for key name 'orders'");
    const [inspection] = inspect({ "xinfo consumers": missing, xpending: missing, zcard: 0, zrange: [], xlen: 1 });
    expect(await answer(inspection.details(ref, { deadLetterStream: undefined, rows: 10 }))).toEqual({
      consumers: [],
      pending: [],
      retriesWaiting: 0,
      nextRetryAt: undefined,
      deadLetters: 1,
    });
  });

  it.each([
    ["overview", (inspection: StreamInspection) => inspection.overview("orders"), { time: [1, 0], "xinfo stream": new Error("WRONGTYPE") }],
    ["details", (inspection: StreamInspection) => inspection.details(ref, { deadLetterStream: undefined, rows: 1 }), { xlen: "?" }],
    ["overview, of which the clock can't be read", (inspection: StreamInspection) => inspection.overview("orders"), { time: "?" }],
  ])("passes other errors on: %s", async (_, ask, replies) => {
    const [inspection] = inspect(replies);
    await expect(answer(ask(inspection))).rejects.toThrow();
  });

  it.each([
    [0, 5_000, [1_000], { count: 0, isComplete: true }],
    [999, 5_000, [1_000], { count: 999, isComplete: true }],
    [1_000, 5_000, [1_000, 1_000], { count: 1_000, isComplete: true }],
    [2_500, 5_000, [1_000, 1_000, 1_000], { count: 2_500, isComplete: true }],
    [2_500, 2_500, [1_000, 1_000, 500], { count: 2_500, isComplete: false }],
    [2_500, 1_200, [1_000, 200], { count: 1_200, isComplete: false }],
  ])("counts %d entries, %d at most, in pages", async (length, max, asked, expected) => {
    const client = new FakeClient(
      {},
      {
        reply: (_, __, start, ___, ____, count) => {
          const first = Number.parseInt(String(start).slice(1)) + 1;
          return Array.from({ length: Math.min(Number(count), length - first + 1) }, (_entry, index) => [idOf(first + index), ["a", "1"]]);
        },
      },
    );
    expect(await answer(toPort(client).openInspection().countAfter("orders", idOf(0), max))).toEqual(expected);
    expect(client.latest.calls.map((call) => call.at(-1))).toEqual(asked);
    expect(client.latest.calls[0]).toEqual(["xrange", "orders", "(0-0", "+", "count", asked[0]]);
  });

  it("closes its connection", () => {
    const [inspection, client] = inspect({});
    inspection.close();
    expect(client.latest.disconnects).toBe(1);
  });
});

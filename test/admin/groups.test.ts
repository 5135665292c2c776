import { map, of, throwError, timer, type Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createGroup } from "../../src/admin/create-group.js";
import { deleteConsumer, type ConsumerDeletion, type DeleteConsumerOptions } from "../../src/admin/delete-consumer.js";
import { destroyGroup } from "../../src/admin/destroy-group.js";
import { listConsumers } from "../../src/admin/list-consumers.js";
import { listGroups } from "../../src/admin/list-groups.js";
import { pendingSummary } from "../../src/admin/pending-summary.js";
import { pruneConsumers } from "../../src/admin/prune-consumers.js";
import { setGroupPosition } from "../../src/admin/set-group-position.js";
import { trim } from "../../src/admin/trim.js";
import { trimAcked } from "../../src/admin/trim-acked.js";
import { toEntryId } from "../../src/model/entry-id.js";
import type { RedisClient } from "../../src/redis/client.js";
import type { DeletionStep, StreamAdmin } from "../../src/redis/port.js";
import { FakePort } from "../support/fake-port.js";
import { record, timeline, type Recording } from "../support/virtual-time.js";

const ref = { stream: "orders", group: "shipping" };

const nothingTrimmed = { stream: "orders", removed: 0, keptFrom: undefined, heldBy: undefined, deadGroups: [] };

type AdminCall = readonly [name: keyof StreamAdmin, call: (redis: RedisClient) => Observable<unknown>, expected: unknown];

/** Each function, as it is used, with what it emits on a server without groups. */
const calls: readonly AdminCall[] = [
  ["createGroup", (redis) => createGroup(redis, { ...ref, startId: "$" }), "created"],
  ["setGroupPosition", (redis) => setGroupPosition(redis, { ...ref, id: "5-0" }), "absent"],
  ["destroyGroup", (redis) => destroyGroup(redis, ref), "absent"],
  ["deleteConsumer", (redis) => deleteConsumer(redis, { ...ref, consumer: "me" }), { _tag: "absent" }],
  ["pruneConsumers", (redis) => pruneConsumers(redis, { ...ref, idleMs: 1 }), []],
  ["trim", (redis) => trim(redis, { stream: "orders", maxLen: 5 }), 0],
  ["trimAcked", (redis) => trimAcked(redis, { stream: "orders" }), { ...nothingTrimmed, isDryRun: false }],
  ["trimAcked", (redis) => trimAcked(redis, { stream: "orders", dryRun: true }), { ...nothingTrimmed, isDryRun: true }],
  ["listGroups", (redis) => listGroups(redis, { stream: "orders" }), []],
  ["listConsumers", (redis) => listConsumers(redis, ref), []],
  ["pendingSummary", (redis) => pendingSummary(redis, ref), { count: 0, lowest: undefined, highest: undefined, consumers: new Map() }],
];

function run<A>(source: Observable<A>, untilMs = 60_000): Recording<A> {
  let recording: Recording<A> | undefined;
  timeline({ 0: () => (recording = record(source)), [untilMs]: () => recording!.stop() });
  return recording!;
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // waits of 38, 75, 150 … ms
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(calls)("%s", (name, call, expected) => {
  it("asks once, emits the answer, completes, and closes its connection", () => {
    const port = new FakePort();
    expect(run(call(port.client))).toMatchObject({ values: [expected], ended: "complete" });
    expect(port.sent.map((each) => each.name)).toEqual([name]);
    expect(port.open.commands).toBe(0);
  });

  it("is cold, and asks anew for each subscription", () => {
    const port = new FakePort();
    const asked$ = call(port.client);
    expect(port.sent).toEqual([]);
    record(asked$);
    record(asked$);
    expect(port.sent).toHaveLength(2);
    expect(port.open.commands).toBe(0);
  });

  it("asks again after growing waits while there is trouble", () => {
    let failures = 3;
    const quiet = new FakePort().openAdmin() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const answer = (...args: unknown[]): unknown =>
      (failures -= 1) >= 0 ? throwError(() => new Error("Connection is closed.")) : quiet[name]!(...args);
    const port = new FakePort({ admin: { [name]: answer } });
    expect(run(call(port.client))).toMatchObject({ values: [expected], ended: "complete" });
    expect(port.timesOf(name)).toEqual([0, 38, 113, 263]);
  });

  it.each([
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "WrongTypeError"],
    ["NOPERM this user has no permissions", "AccessError"],
    ["NOGROUP No such consumer group", "GroupMissingError"],
  ])("errors for what can't heal: %s", (message, tag) => {
    const port = new FakePort({ admin: { [name]: () => throwError(() => new Error(message)) } });
    expect(run(call(port.client))).toMatchObject({ values: [], ended: "error", error: { _tag: tag } });
    expect(port.sent).toHaveLength(1);
    expect(port.open.commands).toBe(0);
  });

  it("closes its connection when it is unsubscribed before the answer", () => {
    const port = new FakePort({ admin: { [name]: () => timer(1_000) } });
    expect(run(call(port.client), 500)).toMatchObject({ values: [], ended: undefined });
    expect(port.open.commands).toBe(0);
  });

  it("takes nothing for a client that is none", () => {
    expect(() => call({} as RedisClient)).toThrow(TypeError);
  });
});

describe("createGroup", () => {
  it("says what happened, and passes on where the group begins", () => {
    const port = new FakePort({ admin: { createGroup: () => of(false) } });
    expect(run(createGroup(port.client, { ...ref, startId: "5-0", entriesRead: 4 })).values).toEqual(["existed"]);
    expect(port.argsOf("createGroup")).toEqual([[ref, { id: "5-0", entriesRead: 4 }]]);
  });
});

describe("setGroupPosition", () => {
  it("says what happened", () => {
    const port = new FakePort({ admin: { setGroupPosition: () => of(true) } });
    expect(run(setGroupPosition(port.client, { ...ref, id: "0" })).values).toEqual(["set"]);
    expect(port.argsOf("setGroupPosition")).toEqual([[ref, { id: "0", entriesRead: undefined }]]);
  });
});

describe("destroyGroup", () => {
  it("says what happened, and keeps dead letters unless told", () => {
    const port = new FakePort({ admin: { destroyGroup: () => of(true) } });
    expect(run(destroyGroup(port.client, ref)).values).toEqual(["destroyed"]);
    run(destroyGroup(port.client, { ...ref, deadLetters: "delete" }));
    expect(port.argsOf("destroyGroup").map(([, deadLetters]) => deadLetters)).toEqual(["keep", "delete"]);
  });
});

describe("deleteConsumer", () => {
  const me = { ...ref, consumer: "me" };

  /** Answers step by step, each after 10 ms. */
  function deleting(
    steps: readonly DeletionStep[],
    pending: DeleteConsumerOptions["pending"] = { moveTo: "you" },
  ): { port: FakePort; recording: Recording<ConsumerDeletion> } {
    let step = 0;
    const port = new FakePort({ admin: { deleteConsumer: () => timer(10).pipe(map(() => steps[step++]!)) } });
    return { port, recording: run(deleteConsumer(port.client, { ...me, pending })) };
  }

  it("refuses while it owns entries", () => {
    const { port, recording } = deleting([{ _tag: "refused", pending: 3 }], "refuse");
    expect(recording).toMatchObject({ values: [{ _tag: "refused", pending: 3 }], ended: "complete" });
    expect(port.argsOf("deleteConsumer")).toEqual([[me, undefined]]);
  });

  it("moves page after page, one at a time, and emits once", () => {
    const more = { _tag: "more", moved: 500 } as const;
    const { port, recording } = deleting([more, more, { _tag: "deleted", moved: 7 }]);
    expect(recording).toMatchObject({ values: [{ _tag: "deleted", moved: 1_007 }], times: [30], ended: "complete" });
    expect(port.argsOf("deleteConsumer")).toEqual([
      [me, "you"],
      [me, "you"],
      [me, "you"],
    ]);
    expect(port.timesOf("deleteConsumer")).toEqual([0, 10, 20]);
  });

  it("has deleted what is gone after its entries were moved", () => {
    const { recording } = deleting([
      { _tag: "more", moved: 500 },
      { _tag: "absent", moved: 0 },
    ]);
    expect(recording.values).toEqual([{ _tag: "deleted", moved: 500 }]);
  });
});

describe("pruneConsumers", () => {
  it("asks until there are none, and emits all names at once", () => {
    const pages = [["a", "b"], ["c"], []];
    const port = new FakePort({ admin: { pruneConsumers: () => of(pages.shift()!) } });
    expect(run(pruneConsumers(port.client, { ...ref, idleMs: 1_000 }))).toMatchObject({ values: [["a", "b", "c"]], ended: "complete" });
    expect(port.argsOf("pruneConsumers")).toEqual([
      [ref, 1_000],
      [ref, 1_000],
      [ref, 1_000],
    ]);
  });
});

describe("trimAcked", () => {
  it("goes on until nothing is left to remove, and adds up", () => {
    const steps = [
      { removed: 2_000, keepFrom: toEntryId("9-0"), heldBy: "shipping", deadGroups: ["old"] },
      { removed: 70, keepFrom: toEntryId("9-5"), heldBy: "billing", deadGroups: ["older"] },
      { removed: 0, keepFrom: toEntryId("9-5"), heldBy: "billing", deadGroups: [] },
    ];
    const port = new FakePort({ admin: { trimAcked: () => of(steps.shift()!) } });
    expect(run(trimAcked(port.client, { stream: "orders", deadGroupAfterMs: 5_000 })).values).toEqual([
      { stream: "orders", removed: 2_070, isDryRun: false, keptFrom: "9-5", heldBy: "billing", deadGroups: ["old", "older"] },
    ]);
    expect(port.argsOf("trimAcked")[0]).toEqual(["orders", { deadGroupAfterMs: 5_000, isDryRun: false }]);
  });

  it("comes back everyMs after each round, on a connection of its own each time", () => {
    const port = new FakePort();
    const { times } = run(trimAcked(port.client, { stream: "orders", everyMs: 1_000 }), 3_500);
    expect(times).toEqual([0, 1_000, 2_000, 3_000]);
    expect(port.open.commands).toBe(0);
  });
});

describe("options", () => {
  const { client } = new FakePort();
  /** What JavaScript can pass. */
  const bad = (value: unknown): never => value as never;

  it.each<readonly [string, () => unknown, RegExp]>([
    ["an empty stream", () => createGroup(client, { ...ref, stream: "", startId: "0" }), /^Expected `stream`/],
    ["no group", () => createGroup(client, bad({ stream: "orders", startId: "0" })), /^Expected `group` to be a string, got `undefined`/],
    ["a bad startId", () => createGroup(client, { ...ref, startId: "now" }), /^Expected `startId` to be "0", "\$" or an id/],
    [
      "a bad entriesRead",
      () => createGroup(client, { ...ref, startId: "0", entriesRead: -1 }),
      /^Expected `entriesRead` to be an integer of 0/,
    ],
    ["a bad id", () => setGroupPosition(client, { ...ref, id: "-" }), /^Expected `id` to be "0", "\$" or an id/],
    ["a stream no helper key fits", () => destroyGroup(client, { ...ref, stream: "a}" }), /^Expected `stream` to have a whole hash tag/],
    [
      "a bad deadLetters",
      () => destroyGroup(client, bad({ ...ref, deadLetters: "move" })),
      /^Expected `deadLetters` to be one of "keep", "delete"/,
    ],
    ["an empty consumer", () => deleteConsumer(client, { ...ref, consumer: "" }), /^Expected `consumer`/],
    [
      "another word",
      () => deleteConsumer(client, bad({ ...ref, consumer: "me", pending: "drop" })),
      /^Expected `pending` to be "refuse" or/,
    ],
    ["null", () => deleteConsumer(client, bad({ ...ref, consumer: "me", pending: null })), /^Expected `pending` to be "refuse" or/],
    ["no heir", () => deleteConsumer(client, bad({ ...ref, consumer: "me", pending: {} })), /^Expected `pending.moveTo` to be a string/],
    [
      "itself",
      () => deleteConsumer(client, { ...ref, consumer: "me", pending: { moveTo: "me" } }),
      /^Expected `pending.moveTo` to be another/,
    ],
    ["no idleMs", () => pruneConsumers(client, { ...ref, idleMs: 0 }), /^Expected `idleMs` to be an integer of 1 or more/],
    ["a bad everyMs", () => trimAcked(client, { stream: "orders", everyMs: 99 }), /^Expected `everyMs`/],
    ["a bad deadGroupAfterMs", () => trimAcked(client, { stream: "orders", deadGroupAfterMs: 0 }), /^Expected `deadGroupAfterMs`/],
    ["nothing to trim by", () => trim(client, bad({ stream: "orders" })), /^Expected one of `maxLen` and `minId`, got none/],
    ["no stream", () => listGroups(client, bad({})), /^Expected `stream`/],
    ["an empty group", () => listConsumers(client, { ...ref, group: "" }), /^Expected `group`/],
    ["a number", () => pendingSummary(client, bad({ ...ref, group: 1 })), /^Expected `group` to be a string, got `1` \(number\)/],
  ])("are checked when it is called: %s", (_what, call, message) => {
    expect(call).toThrow(message);
  });
});

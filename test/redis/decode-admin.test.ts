import { none, some } from "fp-ts/lib/Option.js";
import { describe, expect, it } from "vitest";
import { ReplyError } from "../../src/errors.js";
import { decodeConsumers, decodeDeletion, decodeGroups, decodePendingPage, decodePendingSummary } from "../../src/redis/decode-admin.js";

/** A record in each shape that a client gives: a flat array, a map, an object. */
function shapesOf(record: Readonly<Record<string, unknown>>): unknown[] {
  return [Object.entries(record).flat(), new Map(Object.entries(record)), record];
}

describe("decodeGroups", () => {
  const group = { name: "g", consumers: 2, pending: 3, "last-delivered-id": "5-0", "entries-read": 4, lag: 1 };
  const known = { name: "g", consumers: 2, pending: 3, lastDeliveredId: "5-0", entriesRead: some(4), lag: some(1) };

  it.each(shapesOf(group))("reads %o by name", (reply) => {
    expect(decodeGroups([reply])).toEqual([known]);
  });

  it("tells unknown from 0", () => {
    expect(decodeGroups([{ ...group, "entries-read": null, lag: null }])).toEqual([{ ...known, entriesRead: none, lag: none }]);
    expect(decodeGroups([{ ...group, "entries-read": 0, lag: 0 }])).toEqual([{ ...known, entriesRead: some(0), lag: some(0) }]);
  });

  it("knows servers without these numbers, and streams without groups", () => {
    const { lag: _lag, "entries-read": _read, ...old } = group;
    expect(decodeGroups([old])).toEqual([{ ...known, entriesRead: none, lag: none }]);
    expect(decodeGroups([])).toEqual([]);
  });

  it.each([[null], [{}], [[null]], [[{ name: "g" }]], [[{ ...group, name: 1 }]]])("refuses %j", (reply) => {
    expect(() => decodeGroups(reply)).toThrow(ReplyError);
  });
});

describe("decodeConsumers", () => {
  const consumer = { name: "c", pending: 3, idle: 40, inactive: 50 };
  const known = { name: "c", pending: 3, idleMs: 40, inactiveMs: some(50) };

  it.each(shapesOf(consumer))("reads %o by name", (reply) => {
    expect(decodeConsumers([reply])).toEqual([known]);
  });

  it("has no time for one that never got anything, nor from a server that does not tell", () => {
    expect(decodeConsumers([{ ...consumer, inactive: -1 }])).toEqual([{ ...known, inactiveMs: none }]);
    expect(decodeConsumers([["name", "c", "pending", 3, "idle", 40]])).toEqual([{ ...known, inactiveMs: none }]);
  });
});

describe("decodePendingPage", () => {
  it("reads rows, those without an owner and great counts too", () => {
    const rows = [
      ["1-0", "me", 5, 1],
      ["2-0", "", -1, 9_223_372_036_854_775_807n],
    ];
    expect(decodePendingPage(rows)).toEqual([
      { _tag: "PendingEntry", id: "1-0", consumer: "me", idleMs: 5, deliveryCount: 1 },
      { _tag: "PendingEntry", id: "2-0", consumer: undefined, idleMs: Infinity, deliveryCount: Number.MAX_SAFE_INTEGER },
    ]);
    expect(decodePendingPage([])).toEqual([]);
  });

  it.each([[null], [[["1-0", "me"]]], [["1-0"]]])("refuses %j", (reply) => {
    expect(() => decodePendingPage(reply)).toThrow(ReplyError);
  });
});

describe("decodePendingSummary", () => {
  it("reads counts that are text", () => {
    expect(
      decodePendingSummary([
        3,
        "1-0",
        "3-0",
        [
          ["me", "2"],
          ["you", "1"],
        ],
      ]),
    ).toEqual({
      count: 3,
      lowest: "1-0",
      highest: "3-0",
      consumers: new Map([
        ["me", 2],
        ["you", 1],
      ]),
    });
  });

  it("has no ids when nothing is pending", () => {
    expect(decodePendingSummary([0, null, null, null])).toEqual({ count: 0, lowest: undefined, highest: undefined, consumers: new Map() });
  });
});

describe("decodeDeletion", () => {
  it("reads every outcome, and refuses another", () => {
    expect(decodeDeletion(["deleted", 2])).toEqual({ _tag: "deleted", moved: 2 });
    expect(decodeDeletion(["refused", 2])).toEqual({ _tag: "refused", pending: 2 });
    expect(() => decodeDeletion(["perhaps", 2])).toThrow(ReplyError);
  });
});

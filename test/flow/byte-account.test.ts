import { describe, expect, it } from "vitest";
import { ByteAccount } from "../../src/flow/byte-account.js";
import type { HeldDelivery } from "../../src/model/held-delivery.js";
import { idOf, TestSource } from "../support/deliveries.js";

const kb = 1_000;
const page = (...sizes: readonly number[]): HeldDelivery<unknown>[] =>
  new TestSource().page(sizes.map((size, index) => [idOf(index + 1), ["n", "x".repeat(size - 1)]]));

describe("ByteAccount", () => {
  it("charges what has come exactly, and gives it back", () => {
    const account = new ByteAccount(100 * kb);
    const entries = page(10 * kb, 1, 5 * kb);
    account.charge(entries);
    expect(account.unsettled).toBe(15_001);
    account.refund(entries[0]!);
    expect(account.unsettled).toBe(5_001);
    entries.slice(1).forEach((held) => account.refund(held));
    expect(account.unsettled).toBe(0);
  });

  it("has room for so many as the largest of late", () => {
    const account = new ByteAccount(100 * kb);
    expect([account.free, account.share]).toEqual([16, 16]);
    account.charge(page(10 * kb));
    expect([account.free, account.share]).toEqual([9, 10]);
    account.charge(page(30 * kb));
    expect([account.free, account.share]).toEqual([2, 3]);
    account.charge(page(35 * kb));
    expect([account.free, account.isSpent]).toEqual([0, true]);
  });

  it("sets aside what a read may bring, and gives it back once, whatever has come meanwhile", () => {
    const account = new ByteAccount(100 * kb);
    account.charge(page(10 * kb));
    const release = account.reserve(5);
    expect(account.free).toBe(4);
    account.charge(page(20 * kb));
    expect([account.free, account.isSpent]).toEqual([1, false]);
    release();
    release();
    expect(account.free).toBe(3);
  });

  it("hands out alone what is larger than everything", () => {
    const account = new ByteAccount(kb);
    const giant = page(50 * kb);
    account.charge(giant);
    expect([account.free, account.isSpent, account.share]).toEqual([0, true, 1]);
    account.refund(giant[0]!);
    expect(account.free).toBe(1);
  });

  it("keeps a part for each reader", () => {
    const account = new ByteAccount(90 * kb);
    account.shareAmong({ readers: 3, streams: 2 });
    const [large] = page(80 * kb);
    account.charge([large!]);
    account.refund(large!);
    expect([account.free, account.share]).toEqual([3, 1]);
    const releases = [account.reserve(1), account.reserve(1)];
    expect(account.free).toBe(1);
    releases.forEach((release) => release());
    expect(account.free).toBe(3);
  });
});

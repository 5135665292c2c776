import { toEntryId } from "rxjs-redis-streams";
import { describe, expect, it } from "vitest";
import { account } from "../../examples/order-stream/account.js";
import type { Books } from "../../examples/order-stream/books.js";

const deadLetter = (id: string, message: string): Books["deadLetters"][number] => ({
  origin: { stream: "events", id: toEntryId(id), group: "g", consumer: "c" },
  cause: { name: "Error", message },
});

/** Three entries: one handled, one handled twice, one dead. */
const sound: Books = {
  added: ["1-0", "2-0", "3-0"],
  inStream: 3,
  handled: new Map([
    ["1-0", 1],
    ["2-0", 2],
  ]),
  shares: new Map([["c", 3]]),
  failed: new Set(["3-0"]),
  leftBehind: ["2-0"],
  deadLetters: [deadLetter("3-0", "the card is stolen")],
  pending: [],
  unread: [],
};

describe("account", () => {
  it("balances when every entry is handled or dead", () => {
    const result = account(sound, { interrupted: false });
    expect(result).toMatchObject({ added: 3, handled: 2, repeated: 1, retried: 1, recovered: 1, deadLettered: 1, balanced: true });
    expect([...result.reasons]).toEqual([["Error: the card is stolen", 1]]);
    expect(result.unaccounted).toEqual([]);
  });

  const faults: Record<string, Partial<Books>> = {
    "an entry is nowhere": { added: ["1-0", "2-0", "3-0", "4-0"], inStream: 4 },
    "the stream has an entry that nobody added": { inStream: 4 },
    "an entry was handled and is a dead letter": { deadLetters: [deadLetter("3-0", "x"), deadLetter("1-0", "x")] },
    "an entry is a dead letter twice": { deadLetters: [deadLetter("3-0", "x"), deadLetter("3-0", "x")] },
  };
  for (const [fault, books] of Object.entries(faults)) {
    it(`does not balance when ${fault}, interrupted or not`, () => {
      expect(account({ ...sound, ...books }, { interrupted: false }).balanced).toBe(false);
      expect(account({ ...sound, ...books }, { interrupted: true }).balanced).toBe(false);
    });
  }

  it("names what is unaccounted for", () => {
    expect(account({ ...sound, added: [...sound.added, "4-0"], inStream: 4 }, { interrupted: true }).unaccounted).toEqual(["4-0"]);
  });

  for (const state of ["pending", "unread"] as const) {
    it(`balances with an entry that is ${state} only when the run was interrupted`, () => {
      const books: Books = { ...sound, added: [...sound.added, "4-0"], inStream: 4, [state]: ["4-0"] };
      expect(account(books, { interrupted: true })).toMatchObject({ balanced: true, unaccounted: [] });
      expect(account(books, { interrupted: false })).toMatchObject({ balanced: false, unaccounted: ["4-0"] });
    });
  }
});

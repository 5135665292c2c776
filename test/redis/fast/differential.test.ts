import { describe, expect, it } from "vitest";
import { replyDuel } from "../../support/reply-duel.js";

/** `npm run test:long` makes it a million. */
const replies = Number(process.env["REPLIES"] ?? 4_000);
const firstSeed = Number(process.env["SEED"] ?? 1);
const protocols = process.env["IOREDIS"] === "5" ? ([2] as const) : ([2, 3] as const);
const cases = protocols.flatMap((protocol) => (["string", "buffer"] as const).map((payload) => [payload, protocol] as const));

describe("the fast reader and ioredis' own decoder", () => {
  it.each(cases)("make the same of random replies, as %s in RESP%i", async (payload, protocol) => {
    const duel = await replyDuel(payload, protocol);
    let done = 0;
    for (let seed = firstSeed; done < replies / cases.length; seed += 1) done += await duel.round(seed);
    expect(duel.taken).toBeGreaterThan(done / 3);
    duel.close();
  }, 3_600_000); // prettier-ignore
});

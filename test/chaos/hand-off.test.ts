import { expect, it } from "vitest";
import { killRun } from "../support/kill-run.js";
import { ownServer } from "../support/own-server.js";

const entries = 60_000;

it("hands 60 000 entries on exactly once, with 60 workers killed and the server killed once", { timeout: 900_000 }, async () => {
  const result = await killRun(await ownServer({ durable: true }), { entries, kills: 60, restart: true });
  expect(result.outputs).toEqual(Array.from({ length: entries }, (_, n) => n));
  expect(result).toMatchObject({ count: entries, pending: 0, deadLetters: 0 });
});

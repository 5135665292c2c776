import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unpackOnce } from "./redis-server/unpack-once.js";

let cache: string;
beforeEach(async () => void (cache = await mkdtemp(join(tmpdir(), "unpack-once-"))));
afterEach(() => rm(cache, { recursive: true }));

const unpack = (draft: string) => writeFile(join(draft, "server"), "");
const files = (): Promise<string[]> => readdir(cache, { recursive: true }).then((names) => names.sort());

describe("unpackOnce", () => {
  it("unpacks once when several race, and leaves no draft", async () => {
    await Promise.all([1, 2, 3].map(() => unpackOnce(join(cache, "redis"), unpack)));
    expect(await files()).toEqual(["redis", "redis/server"]);
  });

  it("does not unpack what is there", async () => {
    await unpackOnce(join(cache, "redis"), unpack);
    await unpackOnce(join(cache, "redis"), () => Promise.reject(new Error("unpacked again")));
  });

  it("leaves nothing when unpacking fails", async () => {
    const failing = unpackOnce(join(cache, "redis"), (draft) => unpack(draft).then(() => Promise.reject(new Error("no"))));
    await expect(failing).rejects.toThrow("no");
    expect(await files()).toEqual([]);
  });
});

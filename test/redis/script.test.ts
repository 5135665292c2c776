import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { loadScripts, runScript, type Call } from "../../src/redis/script.js";

const script = { source: "return 1", sha: "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" };

describe("loadScripts", () => {
  it("hashes each script as SCRIPT LOAD does", () => {
    for (const { source, sha } of Object.values({ ...loadScripts() })) expect(createHash("sha1").update(source).digest("hex")).toBe(sha);
    expect(createHash("sha1").update(script.source).digest("hex")).toBe(script.sha); // what Redis answers for it
  });

  it.each(["settle", "take", "renew", "leave"] as const)("has %s.lua as it is written", async (name) => {
    const lua = await readFile(new URL(`../../src/redis/scripts/${name}.lua`, import.meta.url), "utf8");
    expect(loadScripts()[name].source.trim()).toBe(lua.trim());
  });
});

describe("runScript", () => {
  it("sends the hash alone where the server has the script", async () => {
    const call = vi.fn<Call>(() => Promise.resolve("answer"));
    expect(await runScript(call, script, ["k1", "k2"], ["a", 5])).toBe("answer");
    expect(call.mock.calls).toEqual([["evalsha", script.sha, 2, "k1", "k2", "a", 5]]);
  });

  it("sends the source where it does not, once", async () => {
    const call = vi.fn<Call>((command) => (command === "evalsha" ? Promise.reject(new Error("NOSCRIPT No matching script. Please use EVAL.")) : Promise.resolve("answer"))); // prettier-ignore
    expect(await runScript(call, script, ["k1"], ["a"])).toBe("answer");
    expect(call.mock.calls).toEqual([
      ["evalsha", script.sha, 1, "k1", "a"],
      ["eval", script.source, 1, "k1", "a"],
    ]);
  });

  it.each([new Error("WRONGTYPE wrong"), "no error at all"])(
    "passes other errors on, and does not run the script twice: %s",
    async (thrown) => {
      const call = vi.fn<Call>(() => Promise.reject(thrown));
      await expect(runScript(call, script, [], [])).rejects.toBe(thrown);
      expect(call).toHaveBeenCalledTimes(1);
    },
  );

  it("passes on what EVAL says", async () => {
    const call = vi.fn<Call>((command) =>
      Promise.reject(new Error(command === "evalsha" ? "NOSCRIPT No matching script." : "BUSY Redis is busy")),
    );
    await expect(runScript(call, script, [], [])).rejects.toThrow("BUSY");
    expect(call).toHaveBeenCalledTimes(2);
  });
});

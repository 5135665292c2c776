import { describe, expect, it } from "vitest";
import { runScript, type Script } from "./fixtures/run-script.js";
import { askServer } from "./redis-server/ask-server.js";

const withRedis = (...command: string[]): Script => runScript("with-redis.ts", ...command);
const withNode = (code: string): Script => withRedis(process.execPath, "-e", code);

describe("with-redis", () => {
  it("gives the command a server for as long as it runs", async () => {
    const launcher = withNode(`console.log(process.env.REDIS_URL); process.stdin.resume()`);
    const url = await launcher.line();
    expect(await askServer(url)).toBeDefined();
    launcher.process.stdin.end();
    expect(await launcher.ended).toBe(0);
    await expect(askServer(url)).rejects.toThrow("ECONNREFUSED");
  });

  it.each([
    ["the command's exit code", `process.exit(7)`, 7],
    ["128 and the signal that ended it", `process.kill(process.pid, "SIGTERM")`, 128 + 15],
  ])("ends with %s", async (_, code, expected) => {
    expect(await withNode(code).ended).toBe(expected);
  });

  it("ends with 127 when there is no such command, and with 2 when none is given", async () => {
    expect(await withRedis("no-such-command").ended).toBe(127);
    expect(await withRedis().ended).toBe(2);
  });

  it.each([
    ["the launcher", 1],
    ["its whole group", -1],
  ])("hands a signal to %s on to the command once, and waits for it", async (_, target) => {
    const launcher = withNode(countInterrupts);
    expect(await launcher.line()).toBe("ready");
    const pid = target * (launcher.process.pid ?? NaN);
    process.kill(pid, "SIGINT");
    expect(await launcher.line()).toBe("SIGINT");
    process.kill(pid, "SIGTERM");
    expect(await launcher.ended).toBe(1);
  });
});

/** Ends by SIGTERM, with the number of SIGINTs before it. */
const countInterrupts = `
  let interrupts = 0;
  process.on("SIGINT", () => { interrupts++; console.log("SIGINT"); });
  process.on("SIGTERM", () => process.exit(interrupts));
  process.stdin.resume();
  console.log("ready");`;

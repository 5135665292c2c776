/**
 * Runs a command with a Redis server and `REDIS_URL` set to it: `tsx test/support/with-redis.ts <command> [args…]`.
 * Ends as the command ends, after the server is gone.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { findServer } from "./redis-server/find-server.js";

const [command, ...args] = process.argv.slice(2);
process.exitCode = command === undefined ? usage() : await withRedis(command, args);

function usage(): number {
  console.error("usage: tsx test/support/with-redis.ts <command> [args…]");
  return 2;
}

async function withRedis(command: string, args: readonly string[]): Promise<number> {
  const server = await findServer({ log: console.error }); // stdout is the command's
  try {
    return await run(command, args, { ...process.env, REDIS_URL: server.url });
  } finally {
    await server.stop();
  }
}

/**
 * Every signal reaches the command once. At a terminal, Ctrl-C goes to the whole process group, so the command stays
 * in ours and we only outlive it; elsewhere the command gets a group of its own, and all signals from us.
 */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const atTerminal = process.stdin.isTTY;
  const child = spawn(command, args, { stdio: "inherit", env, detached: !atTerminal });
  process.on("SIGINT", () => atTerminal || forward(child, "SIGINT"));
  process.on("SIGTERM", () => (atTerminal ? child.kill("SIGTERM") : forward(child, "SIGTERM")));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(error.message);
      resolve(127); // what a shell answers for a command it cannot run
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function forward({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  const running = pid !== undefined && exitCode === null && signalCode === null;
  if (running) process.kill(-pid, signal);
}

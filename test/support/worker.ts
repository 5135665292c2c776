import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterwards } from "./workbench.js";

/** Starts a TypeScript file below test/integration/workers as a process of its own, which the end of the test kills. */
export function startWorker(file: string, ...args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../integration/workers/${file}`, import.meta.url));
  const child = fork(path, args, { execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  afterwards(() => child.kill("SIGKILL"));
  return child;
}

/** The next message that matches. */
export async function messageFrom<M>(child: ChildProcess, matches: (message: M) => boolean): Promise<M> {
  return new Promise((resolve, reject) => {
    child.on("message", (message: M) => matches(message) && resolve(message));
    child.once("exit", (code) => reject(new Error(`The worker ended with ${code} before it said what was waited for`)));
  });
}

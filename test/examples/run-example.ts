import { spawn, type ChildProcess } from "node:child_process";
import { inject, onTestFinished } from "vitest";

/** An example under way. */
export interface Running {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly output: () => string;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  /** All of stdout, a line each, without blank lines at its ends. */
  readonly lines: readonly string[];
  readonly errors: string;
  readonly tookMs: number;
}

/** Runs an example as a user does, against the built package: with this configuration tsx knows no way to `src`. */
export function runExample(name: string): Running {
  const begun = performance.now();
  const child = spawn(process.execPath, ["--import", "tsx", `examples/${name}`], {
    env: { ...process.env, REDIS_URL: inject("redisUrl"), TSX_TSCONFIG_PATH: "tsconfig.build.json" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL")); // it has ended, unless the test ran out of time
  let output = "";
  let errors = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, lines: output.trim().split("\n"), errors, tookMs: performance.now() - begun })),
  );
  return { process: child, output: () => output, ended };
}

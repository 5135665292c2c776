import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Job } from "../variants/child/job.js";
import type { Figures } from "../variants/child/stopwatch.js";
import { compiled } from "./compile.js";

const execute = promisify(execFile);
const limitMs = 600_000;

/**
 * Runs a variant in a process of its own, as plain Node runs it, and gives back what it measured.
 *
 * @param profiles - a folder for a CPU profile of the process, which costs some of its speed
 */
export async function runVariant(file: string, job: Job, profiles?: string): Promise<Figures> {
  const profiling = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const flags = [...profiling, ...(job.heapSamples > 0 ? ["--expose-gc"] : [])];
  const env = { ...process.env, NODE_ENV: "production", NODE_OPTIONS: "" };
  const args = [...flags, join(compiled, `${file}.js`), JSON.stringify(job)];
  const { stdout, stderr } = await execute(process.execPath, args, { env, timeout: limitMs });
  const line = stdout.trim().split("\n").at(-1);
  if (!line) throw new Error(`${file} reported nothing. ${stderr}`);
  return JSON.parse(line) as Figures;
}

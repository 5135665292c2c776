import { join } from "node:path";
import { runVariant } from "./run-variant.js";
import { isInstalled } from "./peers.js";
import { commit, loadAverage } from "./machine.js";
import type { Run, WorkloadResults } from "./results.js";
import type { Stage } from "./stage.js";
import { rotated } from "./statistics.js";
import { toTask, type Sizes } from "./to-job.js";
import type { Variant, Workload } from "./workload.js";

export interface MeasureOptions extends Sizes {
  readonly rounds: number | undefined;
  /** Runs only variants whose name matches, and the base. */
  readonly variant: RegExp;
  /** A folder for a CPU profile of each run, by workload and variant. */
  readonly profiles: string | undefined;
  readonly log: (line: string) => void;
}

/** Runs all variants of a workload in turns, round after round, each in a process of its own. */
export async function measure(stage: Stage, workload: Workload, options: MeasureOptions): Promise<WorkloadResults> {
  const variants = chosen(workload, options);
  const rounds = options.rounds ?? (options.short ? 1 : workload.rounds);
  const before = loadAverage();
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of rotated(variants, round - 1)) {
      runs.push(await runOnce(stage, workload, variant, round, options));
    }
  }
  const tasks = variants.map((variant) => toTask(workload, variant, options));
  const [{ entries, warmUp }] = tasks.sort((a, b) => b.entries - a.entries) as [(typeof tasks)[0]];
  const day = new Date().toISOString().slice(0, 10);
  const { short, entries: asked, profiles } = options;
  const full = !short && asked === undefined && profiles === undefined && rounds >= workload.rounds;
  return { workload: workload.name, day, commit: commit(), entries, warmUp, rounds, full, load: [before, loadAverage()], runs };
}

function chosen({ variants, base }: Workload, { variant: wanted, log }: MeasureOptions): readonly Variant[] {
  return variants.filter(({ name, peer }) => {
    if (peer && !isInstalled(peer)) log(`bench: without "${name}", since ${peer} is not installed`);
    return (!peer || isInstalled(peer)) && (name === base || wanted.test(name));
  });
}

async function runOnce(stage: Stage, workload: Workload, variant: Variant, round: number, options: MeasureOptions): Promise<Run> {
  const job = await stage.set(toTask(workload, variant, options), workload, variant);
  const before = await stage.cpuUs();
  const { profiles } = options;
  const folder = profiles && join(profiles, workload.name, variant.name.replaceAll(/[^\w]+/g, "-"));
  const measured = await runVariant(variant.file, job, folder).catch((cause: unknown) => {
    throw new Error(`${workload.name}, "${variant.name}" failed`, { cause });
  });
  const serverCpuUs = (await stage.cpuUs()) - before;
  await stage.check(job, variant.check ?? workload.check);
  const figures = rounded(job.entries > 0 ? { ...measured, serverCpuUs: serverCpuUs / job.entries } : measured);
  const [main] = workload.metrics;
  options.log(`${workload.name}  round ${round}  ${variant.name}  ${figures[main.key]} ${main.label}`);
  return { variant: variant.name, round, figures };
}

function rounded(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]));
}

/**
 * `npm run bench`: measures the built package against loops written by hand and against its peers, on a server of its own, and says of
 * each figure that has to be reached whether it is. `docs/benchmarks.md` explains how.
 *
 *   --short            small runs, one round: whether everything works, not how fast
 *   --only <names>     workloads whose name begins so, separated by commas
 *   --variant <regexp> variants whose name matches, and the one they are compared with
 *   --rounds <n>       in place of 7 (3 where a run takes long)
 *   --entries <n>      in place of 300 000; a third of them warms up
 *   --no-install       leaves out the peers that are not installed
 *   --out <file>       where the results go; by default `bench/results/latest.json`
 *   --from <file>      measures nothing and takes the results of that file
 *   --publish          puts results, charts and tables into docs/
 *   --profile          writes a CPU profile of each process to `bench/results/profiles`; runs are slower then
 *   --check            fails when a figure that was measured is not reached
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startServer } from "../test/support/redis-server/start-server.js";
import { claims } from "./claims.js";
import { compile } from "./harness/compile.js";
import { judge } from "./harness/judge.js";
import { describeMachine } from "./harness/machine.js";
import { measure } from "./harness/measure.js";
import { installPeers } from "./harness/peers.js";
import { publish } from "./harness/publish.js";
import type { Results, WorkloadResults } from "./harness/results.js";
import { Stage } from "./harness/stage.js";
import { claimsTable, toText, workloadTable } from "./harness/tables.js";
import type { Workload } from "./harness/workload.js";
import { workloads } from "./workloads/all.js";

const { values: flags } = parseArgs({
  allowNegative: true,
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    variant: { type: "string", default: "" },
    rounds: { type: "string" },
    entries: { type: "string" },
    install: { type: "boolean", default: true },
    out: { type: "string", default: fileURLToPath(new URL("results/latest.json", import.meta.url)) },
    from: { type: "string" },
    publish: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});
const log = console.error; // the tables alone go to stdout

const results = flags.from === undefined ? await measureAll() : (JSON.parse(readFileSync(flags.from, "utf8")) as Results);
for (const found of results.workloads) print(found);
console.log(`\n${toText(claimsTable(results))}`);
if (results.short) console.log("\nThis was a short run: it shows that everything works, and says nothing about speed.");
if (flags.publish) publish(results, fileURLToPath(new URL("..", import.meta.url)));
if (flags.check && claims.some((claim) => judge(claim, results).verdict === "not reached")) process.exitCode = 1;

async function measureAll(): Promise<Results> {
  const chosen = chosenWorkloads();
  const profiles = flags.profile ? fileURLToPath(new URL("results/profiles", import.meta.url)) : undefined;
  const { short } = flags;
  const options = { short, variant: new RegExp(flags.variant), rounds: count("rounds"), entries: count("entries"), profiles, log };
  if (flags.install) installPeers(log);
  compile();
  const server = await startServer();
  const machine = describeMachine(server.identity);
  const found: WorkloadResults[] = [];
  const stage = new Stage(server);
  try {
    for (const workload of chosen) {
      found.push(await measure(stage, workload, options));
      save({ short, machine, workloads: found }); // an hour's work is not lost when something fails in the end
    }
  } finally {
    await stage.end();
  }
  return { short, machine, workloads: found };
}

function save(found: Results): void {
  mkdirSync(dirname(flags.out), { recursive: true });
  writeFileSync(flags.out, `${JSON.stringify(found, undefined, 1)}\n`);
}

function chosenWorkloads(): readonly Workload[] {
  const starts = flags.only.split(",");
  const chosen = workloads.filter(({ name }) => starts.some((start) => name.startsWith(start)));
  if (chosen.length > 0) return chosen;
  throw new RangeError(`Expected --only to name some of ${workloads.map(({ name }) => name).join(", ")}, got \`${flags.only}\``);
}

function count(name: "rounds" | "entries"): number | undefined {
  const text = flags[name];
  if (text === undefined || /^[1-9]\d*$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new RangeError(`Expected --${name} to be an integer, 1 or more, got \`${text}\``);
}

function print(found: WorkloadResults): void {
  const workload = workloads.find(({ name }) => name === found.workload);
  if (!workload) return; // results of an older version of the benchmarks
  const load = found.load.map((value) => value.toFixed(1)).join(" to ");
  const sizes = found.entries > 0 ? `, ${found.entries} entries` : "";
  console.log(`\n${workload.title} (${found.rounds} rounds${sizes}, load ${load})\n${toText(workloadTable(workload, found))}`);
}

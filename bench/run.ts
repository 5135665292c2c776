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
 *   --publish          puts results, charts and tables into docs/
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startServer } from "../test/support/redis-server/start-server.js";
import { compile } from "./harness/compile.js";
import { describeMachine } from "./harness/machine.js";
import { measure } from "./harness/measure.js";
import { installPeers } from "./harness/peers.js";
import { publish } from "./harness/publish.js";
import type { Results, WorkloadResults } from "./harness/results.js";
import { Stage } from "./harness/stage.js";
import { claimsTable, toText, workloadTable } from "./harness/tables.js";
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
    publish: { type: "boolean", default: false },
    out: { type: "string", default: fileURLToPath(new URL("results/latest.json", import.meta.url)) },
  },
});
const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const only = flags.only.split(",");
const chosen = workloads.filter(({ name }) => only.some((start) => name.startsWith(start)));
if (chosen.length === 0) throw new RangeError(`Expected --only to name some of ${workloads.map(({ name }) => name).join(", ")}`);

const log = console.error; // the tables alone go to stdout
if (flags.install) installPeers(log);
compile();
const server = await startServer();
const stage = new Stage(server);
const machine = describeMachine(server.identity);
const done: WorkloadResults[] = [];
try {
  for (const workload of chosen) {
    const { short } = flags;
    const variant = new RegExp(flags.variant);
    const found = await measure(stage, workload, { short, variant, rounds: count(flags.rounds), entries: count(flags.entries), log });
    done.push(found);
    const load = found.load.map((value) => value.toFixed(1)).join(" to ");
    console.log(`\n${workload.title} (${found.rounds} rounds, ${found.entries} entries, load ${load})`);
    console.log(toText(workloadTable(workload, found)));
  }
} finally {
  await stage.end();
}

const results: Results = { short: flags.short, machine, workloads: done };
mkdirSync(dirname(flags.out), { recursive: true });
writeFileSync(flags.out, `${JSON.stringify(results, undefined, 1)}\n`);
console.log(`\n${toText(claimsTable(results))}`);
if (flags.short) console.log("\nThis was a short run: it shows that everything works, and says nothing about speed.");
if (flags.publish) publish(results, fileURLToPath(new URL("..", import.meta.url)));

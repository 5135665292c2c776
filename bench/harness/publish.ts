import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workloads } from "../workloads/all.js";
import { chart } from "./chart.js";
import type { Results, WorkloadResults } from "./results.js";
import { claimsTable, toMarkdown, workloadTable } from "./tables.js";

/** Where the published results are, in the repository. */
export const publishedResults = "docs/benchmarks/results.json";

/** Everything that documentation shows of results, by its path in the repository. The same results give the same files. */
export function documents(results: Results, pageOf: (path: string) => string): ReadonlyMap<string, string> {
  const files = new Map([[publishedResults, `${JSON.stringify(results, undefined, 1)}\n`]]);
  const sections = new Map([
    ["machine", machineOf(results)],
    ["claims", toMarkdown(claimsTable(results)) + reservation(results)],
  ]);
  for (const workload of workloads) {
    const found = results.workloads.find((each) => each.workload === workload.name);
    if (!found) continue;
    files.set(`docs/benchmarks/${workload.name}.svg`, chart(workload, found));
    const picture = `![${workload.title}](benchmarks/${workload.name}.svg)`;
    sections.set(workload.name, [picture, toMarkdown(workloadTable(workload, found)), conditionsOf(found)].join("\n\n"));
  }
  for (const path of ["docs/benchmarks.md", "README.md"]) files.set(path, withSections(pageOf(path), sections));
  return files;
}

/** Writes the results, a chart per workload, and the tables of the pages. What was not measured this time stays as it was. */
export function publish(results: Results, root: string): void {
  const file = join(root, publishedResults);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results).workloads : [];
  const kept = before.filter((old) => !results.workloads.some(({ workload }) => workload === old.workload));
  mkdirSync(join(root, "docs/benchmarks"), { recursive: true });
  const all = documents({ ...results, workloads: [...kept, ...results.workloads] }, (path) => readFileSync(join(root, path), "utf8"));
  for (const [path, text] of all) writeFileSync(join(root, path), text);
}

/** Replaces what stands between `<!-- bench: name -->` and `<!-- /bench -->`. */
function withSections(page: string, sections: ReadonlyMap<string, string>): string {
  return page.replace(/(<!-- bench: (\S+) -->\n)[^]*?(<!-- \/bench -->)/g, (whole, start: string, name: string, end: string) => {
    const section = sections.get(name);
    return section === undefined ? whole : `${start}${section}\n${end}`;
  });
}

/** What readers have to know before they believe a figure: that the runs were smaller, or that the machine did other things. */
function reservation({ machine, workloads: found }: Results): string {
  const load = Math.max(...found.map((each) => each.load[0]));
  const smaller = found.filter(({ full }) => !full).map(({ workload }) => workload);
  const reasons = [
    ...(smaller.length > 0 ? [`smaller than they are stated for (${smaller.join(", ")})`] : []),
    ...(load > machine.cores / 2 ? [`made on a busy machine (load average up to ${load.toFixed(1)} on ${machine.cores} cores)`] : []),
  ];
  return reasons.length > 0 ? `\n\n**Preliminary:** these runs were ${reasons.join(", and ")}.` : "";
}

function conditionsOf({ rounds, entries, warmUp, load, day, commit }: WorkloadResults): string {
  const sizes = entries > 0 ? `, up to ${entries} entries, ${warmUp} of them to warm up` : "";
  const [before, after] = load.map((value) => value.toFixed(1));
  return `${rounds} rounds${sizes}; load average ${before} before and ${after} after; ${day}, commit ${commit}.`;
}

function machineOf({ machine }: Results): string {
  const { cpu, cores, memoryGB, system, node, server, packages } = machine;
  const clients = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [`- ${cpu}, ${cores} cores, ${memoryGB} GB, ${system}`, `- ${server}, Node ${node.slice(1)}`, `- ${clients.join(", ")}`].join(
    "\n",
  );
}

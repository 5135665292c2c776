import { claims } from "../claims.js";
import { judge } from "./judge.js";
import { figuresOf, type Results, type WorkloadResults } from "./results.js";
import { ratios, spread } from "./statistics.js";
import type { Workload } from "./workload.js";

/** Rows of texts, the first one the heading. */
export type Table = readonly (readonly string[])[];

export function workloadTable(workload: Workload, results: WorkloadResults): Table {
  const [main] = workload.metrics;
  const base = figuresOf(results, workload.base, main.key);
  const heading = ["variant", ...workload.metrics.map(({ label }) => label), `${main.label} vs ${workload.base}`, "min–max"];
  const rows = workload.variants.flatMap(({ name }) => {
    const values = figuresOf(results, name, main.key);
    if (values.size === 0) return [];
    const figures = workload.metrics.map(({ key, digits }) => shown(spread(figuresOf(results, name, key).values())?.median, digits));
    const ratio = spread(ratios(values, base));
    return [[name, ...figures, shown(ratio?.median, 2), ratio ? `${shown(ratio.min, 2)}–${shown(ratio.max, 2)}` : ""]];
  });
  return [heading, ...rows];
}

export function claimsTable(results: Results): Table {
  const rows = claims.map((claim) => {
    const { figure, verdict, full } = judge(claim, results);
    const asked = claim.atLeast === undefined ? `≤ ${shown(claim.atMost, 2)}` : `≥ ${shown(claim.atLeast, 2)}`;
    const range = figure ? `${shown(figure.min, 2)}–${shown(figure.max, 2)}` : "";
    return [
      claim.what,
      versus(claim.against),
      asked,
      shown(figure?.median, 2),
      range,
      figure && !full ? `${verdict}, in a smaller run` : verdict,
    ];
  });
  return [["what", "against", "must be", "is", "min–max", ""], ...rows];
}

const versus = (against: string | undefined): string => against ?? "the figure itself";

/** A figure for people; empty when there is none. */
export function shown(value: number | undefined, digits: number): string {
  return value === undefined
    ? ""
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(",", " ");
}

/** For a terminal: columns as wide as their widest text, figures to the right. */
export function toText(table: Table): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))).join("  ");
  return table.map((row) => line(row).trimEnd()).join("\n");
}

export function toMarkdown([heading, ...rows]: Table): string {
  const line = (row: readonly string[]): string => `| ${row.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heading!), `|${heading!.map((_, column) => (column === 0 ? "---" : "--:")).join("|")}|`, ...rows.map(line)].join("\n");
}

import { figuresOf, type WorkloadResults } from "./results.js";
import { spread, type Spread } from "./statistics.js";
import { shown } from "./tables.js";
import type { Workload } from "./workload.js";

interface Row extends Spread {
  readonly name: string;
  readonly ours: boolean;
  readonly label: string;
}

const left = 250;
const width = 860;
const bars = 470;
const rowHeight = 26;
const top = 58;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .note { fill: #656d76 }
  .bar { fill: #afb8c1 }
  .ours { fill: #2f81f7 }
  .range { stroke: #24292f; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #8d96a0 }
    .bar { fill: #6e7681 }
    .range { stroke: #e6edf3 }
  }`;

/** The main figure of each variant as a bar, with a line from the smallest to the largest round; the same results give the same text. */
export function chart(workload: Workload, results: WorkloadResults): string {
  const rows = toRows(workload, results);
  const largest = Math.max(...rows.map(({ max }) => max), Number.MIN_VALUE);
  const height = top + rows.length * rowHeight + 12;
  const [{ label }] = workload.metrics;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(workload.title)}</title>
<style>${style}
</style>
<text class="title" x="12" y="24">${escaped(workload.title)}</text>
<text class="note" x="12" y="43">${escaped(label)}: median of ${results.rounds} rounds, line from the smallest to the largest</text>
${rows.map((row, index) => bar(row, top + index * rowHeight, bars / largest)).join("\n")}
</svg>
`;
}

function toRows({ metrics: [main], variants }: Workload, results: WorkloadResults): readonly Row[] {
  return variants.flatMap(({ name, ours = false }) => {
    const figure = spread(figuresOf(results, name, main.key).values());
    return figure ? [{ ...figure, name, ours, label: shown(figure.median, main.digits) }] : [];
  });
}

function bar({ name, ours, label, median, min, max }: Row, y: number, scale: number): string {
  const at = (value: number): string => (left + value * scale).toFixed(1);
  const middle = y + 9;
  return [
    `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${ours ? "ours" : "bar"}" x="${left}" y="${y}" width="${(median * scale).toFixed(1)}" height="18" rx="2"/>`,
    `<path class="range" d="M${at(min)} ${middle}H${at(max)}"/>`,
    `<text x="${Number(at(max)) + 8}" y="${y + 14}">${escaped(label)}</text>`,
  ].join("\n");
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

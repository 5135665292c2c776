import type { Figures } from "./stopwatch.js";

/** Hands the figures to the harness and ends the process, whatever connections are open. */
export function report(figures: Figures): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
}

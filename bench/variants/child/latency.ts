import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { job } from "./job.js";
import { report } from "./report.js";

const producer = fileURLToPath(new URL("../latency/producer.js", import.meta.url));

/**
 * Starts a producer in a process of its own and gives back what a handler calls with the time that an entry carries: the clock that both
 * processes share. The first third is warm-up. Reports how long entries took from just before their XADD to the handler.
 */
export function measureLatency(): (sentUs: string) => void {
  const expected = job.rate * job.seconds;
  const latencies: number[] = [];
  let seen = 0;
  let cpu: NodeJS.CpuUsage | undefined;
  void delay(500).then(() => spawn(process.execPath, [producer, JSON.stringify(job)], { stdio: ["ignore", "inherit", "inherit"] }));
  return (sentUs) => {
    const latencyUs = Number(process.hrtime.bigint() / 1000n) - Number(sentUs);
    seen += 1;
    if (seen < expected / 3) return;
    cpu ??= process.cpuUsage();
    latencies.push(latencyUs);
    if (seen === expected) report({ ...quantiles(latencies), cpuUs: cpuSince(cpu) / latencies.length });
  };
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function quantiles(latencies: readonly number[]): { p50Us: number; p99Us: number } {
  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return { p50Us: at(0.5), p99Us: at(0.99) };
}

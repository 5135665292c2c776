import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { encode } from "./encode.js";
import { job } from "./job.js";
import { report } from "./report.js";

const settleMs = 2_000;

/** Lets what was started settle, and then counts for `seconds` what it does while there is nothing to do. */
export async function measureIdle(): Promise<void> {
  const commands = await monitor();
  await delay(settleMs);
  const [before, cpu, startMs] = [{ ...commands }, process.cpuUsage(), performance.now()];
  await delay(job.seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startMs) / 1000;
  report({
    commandsPerSecond: (commands.sent - before.sent) / seconds,
    executedPerSecond: (commands.executed - before.executed) / seconds,
    cpuMsPerSecond: (user + system) / 1000 / seconds,
  });
}

/** Counts the lines of MONITOR, such as `+1795393803.95 [0 lua] "EXISTS" "key"`: those of clients, and with them those of scripts. */
async function monitor(): Promise<{ sent: number; executed: number }> {
  const counted = { sent: 0, executed: 0 };
  const { hostname, port } = new URL(job.url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, "connect");
  createInterface(socket).on("line", (line) => {
    counted.executed += 1;
    if (!/^\+[\d.]+ \[\d+ lua\]/.test(line)) counted.sent += 1;
  });
  socket.write(encode("MONITOR"));
  return counted;
}

import { setTimeout as delay } from "node:timers/promises";
import { connect } from "./client.js";
import { job } from "./job.js";
import { report } from "./report.js";

const settleMs = 2_000;

/** Lets what was started settle, and then counts for `seconds` what it does while there is nothing to do. */
export async function measureIdle(): Promise<void> {
  const redis = await connect();
  const commands = async (): Promise<number> => Number(/total_commands_processed:(\d+)/.exec(await redis.info("stats"))![1]);
  await delay(settleMs);
  const [before, cpu, startMs] = [await commands(), process.cpuUsage(), performance.now()];
  await delay(job.seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startMs) / 1000;
  const sent = (await commands()) - before - 1; // the INFO of the start counts itself afterwards
  report({ commandsPerSecond: sent / seconds, cpuMsPerSecond: (user + system) / 1000 / seconds });
}

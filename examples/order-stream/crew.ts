/** Starts the workers, kills one of them, and lets the others finish. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SourceStatus } from "rxjs-redis-streams";
import { workers } from "./scene.js";

export type WorkerName = (typeof workers)[number];

export interface Crew {
  /** SIGKILL: no handler, no `finally` and no exit hook of it runs. */
  kill(name: WorkerName): Promise<void>;
  /** SIGTERM to all that live; resolves when the last one has ended. */
  drain(): Promise<void>;
}

const path = fileURLToPath(new URL("worker.ts", import.meta.url));
const lives = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

export function startCrew(stream: string, say: (line: string) => void): Crew {
  const start = (name: WorkerName): ChildProcess => {
    // detached: Ctrl-C reaches this process alone, which passes it on as SIGTERM
    const child = fork(path, [name, stream], { detached: true, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (status: SourceStatus) => {
      if (status._tag === "recovered" && status.from === "stale") say(`${name} took over ${status.count} whose lease had run out`);
      if (status._tag === "stopped") say(`${name} ${status.reason}, ${status.released} released`);
    });
    child.once("exit", (code) => code !== null && code !== 0 && say(`${name} ended with code ${code}`));
    return child;
  };
  const crew = new Map(workers.map((name) => [name, start(name)]));

  const end = async (child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || !lives(child)) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  };
  return {
    kill: (name) => end(crew.get(name), "SIGKILL"),
    drain: async () => {
      await Promise.all([...crew.values()].map((child) => end(child, "SIGTERM")));
    },
  };
}

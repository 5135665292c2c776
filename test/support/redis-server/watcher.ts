import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { keepAlive } from "./keep-alive.js";

/**
 * The shell that outlives us by a moment. It makes a folder, runs its arguments there for each line "start" and tells
 * the process id and the end of each run. When its input ends without another order, whoever gave the orders is gone,
 * however that came about; then the folder and the whole process group go too.
 */
const script = `
dir=$(mktemp -d "\${TMPDIR:-/tmp}/rxjs-redis-streams.XXXXXX") && cd "$dir" || exit
echo "$dir"
remove() { cd / && { rm -rf "$dir" || rm -rf "$dir"; }; } # twice, for a file that was written in between
while read -r order; do
  case $order in
    start) ( "$@" </dev/null >>server.log 2>&1 & echo "$!"; wait; echo ended ) & ;;
    end) wait; remove; exit ;;
  esac
done
remove
kill -s KILL 0`;

/** One run of the watched command. */
export interface Run {
  readonly pid: number;
  readonly running: boolean;
  readonly ended: Promise<void>;
  /** Does nothing when the run has ended. */
  signal(name: NodeJS.Signals): void;
}

export interface Watcher {
  /** Where the command runs and writes `server.log`. */
  readonly dir: string;
  /** Runs the command; the run before must have ended. */
  run(): Promise<Run>;
  /** Removes the folder and ends the shell; the last run must have ended. */
  end(): Promise<void>;
}

/** A process, and in fact its pipes too, which are sockets that the types call streams. */
interface Unreferenced {
  unref(): unknown;
}

/** Prepares to run a command that must not outlive this process, even when this process is killed. */
export async function watch(command: readonly string[]): Promise<Watcher> {
  // Detached means a process group of its own: a terminal's Ctrl-C is for the program that drains, not for its server.
  const shell = spawn("/bin/sh", ["-c", script, "watcher", ...command], {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(shell, "spawn");
  const exited = once(shell, "exit");
  shell.stdin.on("error", () => {}); // a shell that is gone also ends its output, and that is noticed
  for (const handle of [shell, shell.stdin, shell.stdout] as readonly Unreferenced[]) handle.unref();
  const lines = createInterface(shell.stdout)[Symbol.asyncIterator]();
  return {
    dir: await firstOf(lines),
    async run() {
      shell.stdin.write("start\n");
      return toRun(Number(await firstOf(lines)), lines.next());
    },
    async end() {
      shell.stdin.end("end\n");
      await keepAlive(exited);
    },
  };
}

async function firstOf(lines: AsyncIterator<string>): Promise<string> {
  const line = await keepAlive(lines.next());
  if (line.done) throw new Error("the shell that watches the server is gone");
  return line.value;
}

function toRun(pid: number, lastLine: Promise<unknown>): Run {
  let running = true;
  return {
    pid,
    get running() {
      return running;
    },
    ended: lastLine.then(() => void (running = false)),
    signal(name) {
      try {
        if (running) process.kill(pid, name);
      } catch (error) {
        if (!isGone(error)) throw error; // it ended a moment ago, and the line that says so is on its way
      }
    },
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}

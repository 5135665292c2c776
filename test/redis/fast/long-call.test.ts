import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { RedisConnection } from "../../../src/redis/client.js";
import { callLong } from "../../../src/redis/fast/long-call.js";

const words = Array.from({ length: 1_000 }, (_, n) => `1-${n}`);

/** A command as ioredis makes it, which is answered when the test says so. */
class Command {
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  resolve!: (reply: unknown) => void;
  reject!: (error: Error) => void;
  toWritable: (socket: unknown) => string | Buffer = () => "";

  constructor(args: readonly unknown[]) {
    this.args = args;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

class Connection extends EventEmitter {
  readonly sent: Command[] = [];
  call(name: string, ...args: readonly string[]): unknown {
    return this.sendCommand(new Command([name, ...args]));
  }
  sendCommand(command: Command): unknown {
    this.sent.push(command);
    return command.promise;
  }
}

const bytes = (command: Command): string => String(command.toWritable({}));

describe("callLong", () => {
  it.each(["resolve", "reject"] as const)("has its words for as long as they may be written again, and then no more (%s)", async (end) => {
    const connection = new Connection();
    const answer = callLong(connection as unknown as RedisConnection, "xack", ["orders", "billing", ...words]);
    const command = connection.sent[0]!;
    expect(bytes(command)).toContain("$5\r\n1-999\r\n");
    expect(bytes(command)).toBe(bytes(command)); // the connection broke, and there is another one
    if (end === "resolve") command.resolve(1_000);
    else command.reject(new Error("NOGROUP"));
    await answer.catch(() => undefined);
    expect(bytes(command)).toBe("*1\r\n$4\r\nxack\r\n"); // ioredis keeps commands, and what they refer to gets old with them
  });
});

import type { EntryId } from "../../model/entry-id.js";
import { ReplyError } from "../../errors.js";
import { commandHead, CommandWriter, type CommandHead } from "./encode.js";
import { makeCommand, sendCommand, type SentCommand } from "./ioredis-internals.js";
import type { Taken } from "./reply-tap.js";
import { tapReplies } from "./tap-replies.js";
import { Transaction } from "./transaction.js";

/** The commands of one transaction after MULTI and before EXEC. @internal */
export interface Step {
  readonly head: CommandHead;
  readonly words: readonly (string | Buffer)[];
}

/**
 * - `unused`: a pipeline that writes once does not need it
 * - `used`: it would be worth it
 * - `asked`: an empty transaction is under way
 * - `allowed`, `refused`: the answer, until there is another connection
 */
type Standing = "unused" | "used" | "asked" | "allowed" | "refused";

const [multi, exec, ping] = ["MULTI", "EXEC", "PING"].map((word) => commandHead(word)) as [CommandHead, CommandHead, CommandHead];
const nothing = new CommandWriter().add(ping).end();

/**
 * Transactions of XADDs on a connection of ioredis, or a Cluster of them, each encoded in one write and decoded here. Connecting, queueing,
 * redirecting and failing are ioredis' affair. A transaction is written only to a socket whose replies come here and that is known
 * to accept one: without MULTI, an XADD that fails would not keep the next one from overtaking it.
 * @internal
 */
export class Transactions {
  readonly #connection: object;
  readonly #underWay = new WeakMap<SentCommand, Transaction>();
  readonly #sockets = new WeakMap<object, "tapped" | "allowed">();
  #standing: Standing = "unused";
  #isRefused = false;

  /** @param connection - that was made just now */
  constructor(connection: object) {
    this.#connection = connection;
    tapReplies(connection, {
      take: (command, reply) => this.#take(command, reply),
      tapped: (socket) => this.#reconnected(socket),
      refused: () => (this.#isRefused = true),
    });
  }

  /**
   * @param key - that all of them are about
   * @returns ids up to the first that could not be added; undefined: nothing was sent, because it can't be, or not yet
   */
  async run(key: string, steps: readonly Step[]): Promise<readonly EntryId[] | undefined> {
    if (this.#isRefused) return undefined;
    if (this.#standing !== "allowed") {
      this.#consider(key);
      return undefined;
    }
    const ids = await this.#send(key, steps);
    if (ids === undefined) {
      this.#standing = "used";
      this.#consider(key); // this node of the Cluster, or this new connection
    }
    return ids;
  }

  /** Asks by an empty transaction beside what is sent in another way meanwhile. */
  #consider(key: string): void {
    if (this.#standing === "unused") this.#standing = "used";
    else if (this.#standing === "used") {
      this.#standing = "asked";
      const settle = (standing: Standing): void => {
        if (this.#standing === "asked") this.#standing = standing;
      };
      this.#send(key, []).then(
        (ids) => settle(ids === undefined ? "refused" : "allowed"),
        () => settle("refused"),
      );
    }
  }

  async #send(key: string, steps: readonly Step[]): Promise<readonly EntryId[] | undefined> {
    const command = makeCommand(this.#connection, "xadd", key);
    if (command === undefined) {
      this.#isRefused = true;
      return undefined;
    }
    const transaction = new Transaction(encode(steps), steps.length);
    let way: object | undefined;
    command.toWritable = (socket) => {
      way = this.#isFit(socket as object, transaction) ? (socket as object) : undefined;
      if (way === undefined) this.#underWay.delete(command);
      else this.#underWay.set(command, transaction);
      return way === undefined ? nothing : transaction.begin();
    };
    try {
      await sendCommand(this.#connection, command);
      if (way === undefined) return undefined;
      const ids = transaction.takeIds();
      if (ids === undefined) throw new ReplyError("EXEC", "something else than a list");
      this.#sockets.set(way, "allowed");
      return ids;
    } finally {
      if (way !== undefined && transaction.wasNone) this.#forbid(way);
      this.#underWay.delete(command);
      command.toWritable = () => nothing;
      transaction.forget();
    }
  }

  #forbid(socket: object): void {
    this.#sockets.set(socket, "tapped");
    this.#standing = "refused";
  }

  #isFit(socket: object, { size }: Transaction): boolean {
    const known = this.#sockets.get(socket);
    return known === "allowed" || (known === "tapped" && size === 0);
  }

  readonly #take = (command: SentCommand, reply: Buffer): Taken => this.#underWay.get(command)?.take(reply) ?? "nothing";

  #reconnected(socket: object): void {
    this.#sockets.set(socket, "tapped");
    if (this.#standing !== "unused") this.#standing = "used";
  }
}

function encode(steps: readonly Step[]): Buffer {
  const writer = new CommandWriter().add(multi);
  for (const { head, words } of steps) writer.add(head, words);
  return writer.add(exec).end();
}

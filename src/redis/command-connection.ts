import { Subject, type Observable } from "rxjs";
import { deadLetterKey, retryKey } from "../model/keys.js";
import type { Payload } from "../model/payload.js";
import { bare } from "./classify-error.js";
import type { RedisConnection } from "./client.js";
import { retryDelayMs } from "./connection-profile.js";
import { callLong } from "./fast/long-call.js";
import type { GroupRef, Outage } from "./port.js";
import { runScript, type Argument, type Call, type Script } from "./script.js";

/** How long `close` waits for answers to what was sent. */
const closeWithinMs = 2_000;

/** A connection that is never blocked, with the keys behind the user's names; it reconnects by itself. @internal */
export class CommandConnection {
  /** Emits when it broke, and with each attempt to make it that failed. */
  readonly broken: Observable<Outage>;
  /** The key of a stream: its name with the prefix of the user's client. */
  readonly toKey: (stream: string) => string;
  readonly #connection: RedisConnection;
  #unanswered = 0;
  #closing: NodeJS.Timeout | undefined;
  #trouble: unknown;

  /** @param connect - makes the connection, which is to wait as the retry strategy says */
  constructor(connect: (retryStrategy: (attempt: number) => number) => RedisConnection, toKey: (stream: string) => string) {
    const broken = new Subject<Outage>();
    this.toKey = toKey;
    this.broken = broken.asObservable();
    this.#connection = connect((attempt) => {
      const delayMs = retryDelayMs(attempt);
      broken.next({ attempt, delayMs, cause: this.#trouble ?? new Error("The connection to Redis was lost") });
      return delayMs;
    });
    this.#connection.on("error", (error) => (this.#trouble = bare(error))); // without a listener ioredis prints
  }

  /** The stream and its retry schedule. */
  keys({ stream, group }: GroupRef): [stream: string, retries: string] {
    const key = this.toKey(stream);
    return [key, retryKey(key, group)];
  }

  /** The group's dead-letter stream: the one named, or the one beside the stream. */
  deadLetterKey({ stream, group }: GroupRef, named: string | undefined): string {
    return named === undefined ? deadLetterKey(this.toKey(stream), group) : this.toKey(named);
  }

  /** For what sends in a way of its own, by {@link answer}. Asked for when this is made: nothing has come from the server then. */
  use<A>(make: (connection: RedisConnection) => A): A {
    return make(this.#connection);
  }

  /** Answered in text. */
  readonly call: Call = (command, ...args) => this.answer(() => callLong(this.#connection, command, args));
  /** Answered in Buffers. */
  readonly callBuffer: Call = (command, ...args) => this.answer(() => this.#connection.callBuffer(command, ...args));

  /** The call whose answer holds entries as the payload asks. */
  callFor(payload: Payload): Call {
    return payload === "buffer" ? this.callBuffer : this.call;
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[], call: Call = this.call): Promise<unknown> {
    return runScript(call, script, keys, args);
  }

  /** Counts what was sent and not answered, and passes errors on as they may be shown. */
  async answer<A>(send: () => Promise<A>): Promise<A> {
    this.#unanswered += 1;
    try {
      return await send();
    } catch (error) {
      throw error instanceof Error && error.message === "Connection is closed." ? (this.#trouble ?? error) : bare(error);
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered === 0 && this.#closing !== undefined) {
        clearTimeout(this.#closing);
        this.#connection.disconnect();
      }
    }
  }

  close(): void {
    if (this.#unanswered === 0) return this.#connection.disconnect();
    this.#closing ??= setTimeout(() => this.#connection.disconnect(), closeWithinMs).unref();
  }
}

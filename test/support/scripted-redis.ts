import { Duplex } from "node:stream";
import { Redis } from "./ioredis.js";

/** A `Redis` of ioredis whose server is the test. */
export interface ScriptedRedis {
  readonly redis: Redis;
  /** The server writes this; each piece is a chunk of its own. */
  readonly answer: (...chunks: readonly Buffer[]) => void;
  /** What the server was sent. */
  readonly sent: () => string;
  /** The connection breaks. */
  readonly hangUp: () => void;
}

/** A socket without a network. */
class ScriptedSocket extends Duplex {
  readonly #written: Buffer[] = [];

  constructor() {
    super({ decodeStrings: true });
  }
  override _read(): void {
    // the test pushes
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#written.push(chunk);
    done();
  }
  get written(): string {
    return Buffer.concat(this.#written).toString();
  }
  setNoDelay(): void {
    // of no interest
  }
  setKeepAlive(): void {
    // of no interest
  }
  setTimeout(): void {
    // of no interest
  }
}

/** @param use - made use of before it connects */
export function scriptedRedis(options: object, use: (redis: Redis) => void = () => undefined): ScriptedRedis {
  const socket = new ScriptedSocket();
  const Connector = class {
    connect(): Promise<ScriptedSocket> {
      return Promise.resolve(socket);
    }
    disconnect(): void {
      socket.destroy();
    }
    check(): boolean {
      return true;
    }
  };
  const settings = { enableReadyCheck: false, disableClientInfo: true, retryStrategy: null, protocol: 2, ...options, Connector };
  const redis = new (Redis as unknown as new (options: object) => Redis)(settings);
  redis.on("error", () => undefined);
  use(redis);
  return {
    redis,
    answer: (...chunks) => chunks.forEach((chunk) => socket.push(chunk)),
    sent: () => socket.written,
    hangUp: () => void socket.destroy(),
  };
}

import { CommandConnection } from "./command-connection.js";
import { IoredisAdmin } from "./ioredis-admin.js";
import { IoredisAppends } from "./ioredis-appends.js";
import { IoredisCommands } from "./ioredis-commands.js";
import { IoredisHistory } from "./ioredis-history.js";
import { IoredisInspection } from "./ioredis-inspection.js";
import { IoredisPermits } from "./ioredis-permits.js";
import { IoredisReader } from "./ioredis-reader.js";
import { slotOf } from "./cluster-slot.js";
import type { RedisClient, RedisConnection } from "./client.js";
import { clusterCommandProfile, clusterReaderProfile, commandProfile, readerProfile } from "./connection-profile.js";
import type { Payload } from "../model/payload.js";
import type {
  ReaderOptions,
  StreamAdmin,
  StreamAppends,
  StreamCommands,
  StreamHistory,
  StreamInspection,
  StreamPermits,
  StreamReader,
  StreamsPort,
} from "./port.js";

/**
 * Sees a user's client, or a port as it is, as the port that the library works with.
 * @throws TypeError when it is neither
 * @internal
 */
export function toPort(redis: RedisClient | StreamsPort): StreamsPort {
  if (isPort(redis)) return redis;
  if (typeof (redis as RedisClient | undefined)?.duplicate !== "function" || typeof redis.options !== "object") {
    throw new TypeError("Expected a `Redis` or `Cluster` of ioredis 5 or 6 as the first argument: it has `options` and `duplicate()`");
  }
  return new IoredisPort(redis);
}

const isPort = (redis: RedisClient | StreamsPort): redis is StreamsPort =>
  typeof (redis as StreamsPort | undefined)?.openReader === "function";

class IoredisPort implements StreamsPort {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #isCluster: boolean;

  constructor(client: RedisClient) {
    this.#client = client;
    this.#prefix = (client.options as { keyPrefix?: string }).keyPrefix ?? "";
    this.#isCluster = (client as { isCluster?: boolean }).isCluster === true;
  }

  openCommands(payload?: Payload): StreamCommands {
    return new IoredisCommands(this.#commandConnection(commandProfile), payload);
  }

  openReader(options?: ReaderOptions): StreamReader {
    return new IoredisReader(() => this.#connect(readerProfile, clusterReaderProfile), this.#toKey, options);
  }

  openAppends(): StreamAppends {
    return new IoredisAppends(this.#commandConnection(commandProfile));
  }

  openAdmin(): StreamAdmin {
    return new IoredisAdmin(this.#commandConnection(commandProfile));
  }

  openInspection(): StreamInspection {
    return new IoredisInspection(this.#commandConnection(commandProfile));
  }

  openHistory(payload?: Payload): StreamHistory {
    return new IoredisHistory(this.#commandConnection(commandProfile), payload);
  }

  openPermits(): StreamPermits {
    return new IoredisPermits(this.#commandConnection(commandProfile));
  }

  readonly placeOf = (stream: string): number => (this.#isCluster ? slotOf(this.#toKey(stream)) : 0);

  readonly #toKey = (stream: string): string => this.#prefix + stream;

  #commandConnection(profile: object): CommandConnection {
    const connect = (retryStrategy: (attempt: number) => number): RedisConnection =>
      this.#connect({ ...profile, retryStrategy }, { ...clusterCommandProfile, clusterRetryStrategy: retryStrategy });
    return new CommandConnection(connect, this.#toKey);
  }

  #connect(profile: object, clusterProfile: object): RedisConnection {
    const duplicate = this.#client.duplicate.bind(this.#client) as (...overrides: unknown[]) => RedisConnection;
    if (!this.#isCluster) return duplicate(profile);
    return duplicate([], {
      ...clusterProfile,
      keyPrefix: "",
      enableAutoPipelining: false,
      enableOfflineQueue: true,
      lazyConnect: false,
      redisOptions: this.#redisOptions(profile),
    });
  }

  /** Merged here: ioredis 5 replaces `redisOptions` on duplicate, where ioredis 6 merges; passwords and TLS must stay. */
  #redisOptions(profile: object): object {
    const { enableOfflineQueue: _queue, lazyConnect: _lazy, retryStrategy: _retry, ...perNode } = profile as Record<string, unknown>;
    return { ...(this.#client.options as { redisOptions?: object }).redisOptions, ...perNode };
  }
}

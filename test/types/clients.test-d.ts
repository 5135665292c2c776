import type { Cluster, Redis } from "ioredis";
import type { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { acknowledge, fromDeadLetters, fromGroup, type RedisClient, type RedisConnection } from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";

declare const redis: Redis;
declare const cluster: Cluster;
declare const redis5: Redis5;
declare const cluster5: Cluster5;
declare const resp3: Redis<"resp3">;

describe("RedisClient", () => {
  it("is what ioredis 6 makes", () => {
    expectTypeOf<Redis>().toExtend<RedisClient>();
    expectTypeOf<Cluster>().toExtend<RedisClient>();
    expectTypeOf(resp3).toExtend<RedisClient>();
  });

  it("is what ioredis 5 makes", () => {
    expectTypeOf<Redis5>().toExtend<RedisClient>();
    expectTypeOf<Cluster5>().toExtend<RedisClient>();
  });

  it("duplicates to a connection", () => {
    expectTypeOf(redis.duplicate()).toExtend<RedisConnection>();
    expectTypeOf(cluster.duplicate()).toExtend<RedisConnection>();
    expectTypeOf(redis5.duplicate()).toExtend<RedisConnection>();
    expectTypeOf(cluster5.duplicate()).toExtend<RedisConnection>();
  });

  it("is taken by every source and sink", () => {
    for (const client of [redis, cluster, redis5, cluster5, resp3]) {
      void fromGroup(client, { stream: "orders", group: "shipping", startId: "0" });
      void fromDeadLetters(client, { stream: "orders", group: "shipping" });
      acknowledge(client);
    }
  });

  it("is no pipeline, no URL and no options", () => {
    // @ts-expect-error a pipeline can't be duplicated
    acknowledge(redis.pipeline());
    // @ts-expect-error it makes no connection of its own accord
    acknowledge("redis://127.0.0.1:6379");
    // @ts-expect-error nor from options
    acknowledge({ host: "127.0.0.1" });
  });
});

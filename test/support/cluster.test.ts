import { Cluster as Client, Redis } from "ioredis";
import { afterEach, expect, it, vi } from "vitest";
import { startCluster, type Cluster } from "./cluster.js";

let cluster: Cluster | undefined;
let client: Client | undefined;

async function start(replicasPer: 0 | 1): Promise<{ readonly cluster: Cluster; readonly client: Client }> {
  cluster = await startCluster({ masters: 3, replicasPer });
  client = new Client([...cluster.nodes]);
  return { cluster, client };
}

afterEach(async () => {
  client?.disconnect();
  await cluster?.stop();
});

/** Keys enough to fall on every master. */
const keys = Array.from({ length: 300 }, (_, index) => `key-${index}`);

async function sizeOf({ host, port }: Cluster["nodes"][number]): Promise<number> {
  const node = new Redis(port, host);
  const size = await node.dbsize();
  node.disconnect();
  return size;
}

it("serves every slot, and each master some of the keys", async () => {
  const { cluster, client } = await start(0);
  await Promise.all(keys.map((key) => client.set(key, "value")));
  expect(await client.cluster("INFO")).toContain("cluster_slots_ok:16384");
  const sizes = await Promise.all(cluster.nodes.map(sizeOf));
  expect(sizes.filter((size) => size > 0)).toHaveLength(3);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
});

it("is written to again on every slot after a master was killed", { timeout: 60_000 }, async () => {
  const { cluster, client } = await start(1);
  await cluster.kill(cluster.nodes[0]?.port ?? 0);
  await vi.waitFor(() => Promise.all(keys.map((key) => client.set(key, "value"))), { timeout: 30_000 });
});

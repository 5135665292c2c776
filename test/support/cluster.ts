import { Redis } from "ioredis";
import type { SpawnedServer } from "./redis-server/spawn-server.js";
import { startServer } from "./redis-server/start-server.js";
import { until } from "./until.js";

const host = "127.0.0.1";
const slotCount = 16_384;
const nodeArgs = [
  ...["--cluster-enabled", "yes"],
  ...["--cluster-node-timeout", "2000"],
  ...["--repl-diskless-sync-delay", "0"], // a replica would wait five seconds for company
];

export interface ClusterOptions {
  /** @defaultValue `3` */
  readonly masters?: number;
  /** @defaultValue `0` */
  readonly replicasPer?: 0 | 1;
}

export interface Cluster {
  /** The masters first. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Ends the node at `port` at once, as a crash would. */
  kill(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster on loopback; every slot is served, and every replica in step, when it is returned. */
export async function startCluster({ masters = 3, replicasPer = 0 }: ClusterOptions = {}): Promise<Cluster> {
  const count = masters * (1 + replicasPer);
  const servers = await Promise.all(Array.from({ length: count }, () => startServer({ args: nodeArgs })));
  const stop = () => Promise.all(servers.map((server) => server.stop())).then(() => {});
  await join(servers, masters).catch((error: unknown) => stop().then(() => Promise.reject(error)));
  return {
    nodes: servers.map(({ port }) => ({ host, port })),
    kill: (port) => nodeAt(port, servers).kill(),
    stop,
  };
}

function nodeAt(port: number, servers: readonly SpawnedServer[]): SpawnedServer {
  const node = servers.find((server) => server.port === port);
  if (!node) throw new RangeError(`Expected \`port\` to be that of a node, got ${port}`);
  return node;
}

async function join(servers: readonly SpawnedServer[], masters: number): Promise<void> {
  const nodes = servers.map(({ url }) => new Redis(url));
  try {
    await shareSlots(nodes.slice(0, masters));
    await meet(nodes, servers);
    await replicate(nodes, masters);
    await Promise.all(nodes.map((node) => until(() => isReady(node), "the cluster is complete")));
  } finally {
    for (const node of nodes) node.disconnect();
  }
}

async function shareSlots(masters: readonly Redis[]): Promise<void> {
  const firstSlot = (master: number) => Math.floor((master * slotCount) / masters.length);
  await Promise.all(masters.map((node, master) => node.call("CLUSTER", "ADDSLOTSRANGE", firstSlot(master), firstSlot(master + 1) - 1)));
}

/** Each node has an epoch of its own before they meet, so that none of them has to settle a conflict first. */
async function meet(nodes: readonly Redis[], servers: readonly SpawnedServer[]): Promise<void> {
  await Promise.all(nodes.map((node, index) => node.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)));
  await Promise.all(nodes.slice(1).map((node) => node.call("CLUSTER", "MEET", host, servers[0]?.port ?? 0)));
  const known = `cluster_known_nodes:${nodes.length}`;
  await Promise.all(nodes.map((node) => until(async () => (await clusterInfo(node)).includes(known), "all nodes know each other")));
}

async function replicate(nodes: readonly Redis[], masters: number): Promise<void> {
  const ids = await Promise.all(nodes.slice(0, masters).map((node) => node.call("CLUSTER", "MYID")));
  const replicas = nodes.slice(masters);
  await Promise.all(replicas.map((node, index) => node.call("CLUSTER", "REPLICATE", String(ids[index % masters]))));
}

async function isReady(node: Redis): Promise<boolean> {
  const inStep = !(await node.info("replication")).includes("master_link_status:down");
  return inStep && (await clusterInfo(node)).includes("cluster_state:ok");
}

async function clusterInfo(node: Redis): Promise<string> {
  return String(await node.call("CLUSTER", "INFO"));
}

import { startCluster, type Cluster as Nodes } from "./cluster.js";
import { Cluster } from "./ioredis.js";
import { afterwards } from "./workbench.js";

/** A client of a cluster of three masters; both are gone after the test. */
export async function clusterClient(): Promise<{ readonly cluster: Cluster; readonly nodes: Nodes["nodes"] }> {
  const started = await startCluster({ masters: 3 });
  afterwards(() => started.stop());
  const cluster = new Cluster([...started.nodes]);
  cluster.on("error", () => undefined);
  afterwards(() => cluster.disconnect());
  return { cluster, nodes: started.nodes };
}

import { Redis, type Cluster } from "./ioredis.js";
import { afterwards } from "./workbench.js";
/**
 * Gives the slot of a stream to another master, with the stream.
 * @param meanwhile - runs when the keys are there and the slot is still here: who asks for them is sent there by ASK
 */
export async function moveSlot(
  cluster: Cluster,
  stream: string,
  nodes: readonly { host: string; port: number }[],
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const slot = Number(await cluster.call("cluster", "keyslot", stream));
  const masters = nodes.map(({ host, port }) => new Redis(port, host));
  afterwards(() => masters.forEach((master) => master.disconnect()));
  const ids = (await Promise.all(masters.map((master) => master.call("cluster", "myid")))).map(String);
  const holds = await Promise.all(masters.map(async (master) => Number(await master.call("cluster", "countkeysinslot", slot))));
  const from = holds.findIndex((count) => count > 0);
  const to = (from + 1) % masters.length;
  await masters[to]!.call("cluster", "setslot", slot, "importing", ids[from]!);
  await masters[from]!.call("cluster", "setslot", slot, "migrating", ids[to]!);
  const keys = (await masters[from]!.call("cluster", "getkeysinslot", slot, 100)) as string[];
  await masters[from]!.call("migrate", nodes[to]!.host, nodes[to]!.port, "", 0, 5_000, "keys", ...keys);
  await meanwhile();
  for (const index of [to, from]) await masters[index]!.call("cluster", "setslot", slot, "node", ids[to]!);
}

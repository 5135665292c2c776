import type { SpawnedServer } from "./redis-server/spawn-server.js";
import { startServer } from "./redis-server/start-server.js";
import { afterwards } from "./workbench.js";

/** A server of the test's own, to be harmed: killed, paused, flushed. Its data survives a restart when `durable`. */
export async function ownServer({ durable = false }: { readonly durable?: boolean } = {}): Promise<SpawnedServer> {
  const server = await startServer({ args: durable ? ["--appendonly", "yes", "--appendfsync", "always"] : [] });
  afterwards(() => server.stop());
  return server;
}

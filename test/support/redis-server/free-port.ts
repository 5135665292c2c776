import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

// A node of a cluster also listens at its port plus 10000, which has to be a port as well.
const maxPort = 55_535;

/** A loopback port that was free a moment ago; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port <= maxPort ? port : freePort();
}

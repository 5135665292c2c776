import { askServer } from "./ask-server.js";
import { Unavailable } from "./first-available.js";
import { anyFlavor, flavors } from "./flavor.js";
import { messageOf } from "./message-of.js";
import { once } from "./once.js";
import { describe, type RedisServer } from "./redis-server.js";
import type { Search } from "./search.js";
import { volatile } from "./volatile.js";

/**
 * A server in a container of its own, of `REDIS_IMAGE` or of the image of the flavor.
 *
 * @throws Error when `REDIS_IMAGE` is set and cannot be run; without it that is just one closed way
 */
export async function fromContainer({ env, flavor, args }: Search): Promise<RedisServer> {
  const required = env["REDIS_IMAGE"];
  const image = required || (flavor ? flavors[flavor] : anyFlavor).image;
  try {
    return await runContainer(image, args);
  } catch (cause) {
    const reason = `no container of ${image}: ${messageOf(cause)}`;
    throw required ? new Error(`REDIS_IMAGE is set, but there is ${reason}`, { cause }) : new Unavailable(reason);
  }
}

async function runContainer(image: string, args: readonly string[]): Promise<RedisServer> {
  // Loading it takes a second that a run with REDIS_URL does not have to pay.
  const { GenericContainer, getContainerRuntimeClient } = await import("testcontainers");
  await getContainerRuntimeClient(); // throws at once when no engine answers
  const container = await new GenericContainer(image)
    .withCommand([...volatile, ...args])
    .withExposedPorts(6379)
    .start();
  const port = container.getMappedPort(6379);
  const url = `redis://${container.getHost()}:${port}`;
  const identity = await askServer(url);
  const stop = once(() => container.stop().then(() => {}));
  return { url, port, identity, description: describe(identity, `in a container of ${image}`), stop };
}

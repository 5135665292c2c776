import type {} from "vitest";
import type { TestProject } from "vitest/node";
import { findServer } from "./redis-server/find-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The server that all tests of a run share; every test keeps to stream keys of its own. */
    redisUrl: string;
  }
}

/** Finds a server once for the whole run; tests get it by `inject("redisUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await findServer();
  project.provide("redisUrl", server.url);
  return () => server.stop();
}

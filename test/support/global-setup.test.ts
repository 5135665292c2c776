import type { TestProject } from "vitest/node";
import { expect, it, vi } from "vitest";
import setup from "./global-setup.js";
import { askServer } from "./redis-server/ask-server.js";

it("provides the URL of a server until the teardown", async () => {
  const provide = vi.fn();
  const teardown = await setup({ provide } as Pick<TestProject, "provide"> as TestProject);
  expect(provide.mock.calls).toEqual([["redisUrl", expect.any(String)]]);
  await expect(askServer(String(provide.mock.calls[0]?.[1]))).resolves.toBeDefined();
  await teardown();
});

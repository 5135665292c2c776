import { defineConfig } from "vitest/config";

const alias = { "rxjs-redis-streams": new URL("./src/index.ts", import.meta.url).pathname };

/** Which tests need what: unit tests nothing, integration tests a server, package tests the built package. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          maxWorkers: 2, // these don't mind neighbours; the others measure times, and start servers
          sequence: { groupOrder: 1 },
          include: ["test/{admin,bench,model,operators,flow,sinks,sources,redis,support}/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "integration",
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          include: ["test/integration/**/*.test.ts", "test/examples/**/*.test.ts"],
          globalSetup: "test/support/global-setup.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "types",
          sequence: { groupOrder: 3 },
          include: [],
          typecheck: { enabled: true, only: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "test/types/tsconfig.json" },
        },
      },
      {
        test: {
          name: "package",
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
          include: ["test/package/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

/** Runs that take minutes and are no part of the suite: `npm run test:chaos`. The workers use the built package. */
export default defineConfig({
  test: { include: ["test/chaos/**/*.test.ts"], hookTimeout: 60_000, fileParallelism: false },
});

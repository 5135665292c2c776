/**
 * `npm run test:matrix`: the integration tests on every server and with every client that is supported, one after the other.
 * `--short` runs the main job alone on each; further arguments go to vitest.
 */
import { spawnSync } from "node:child_process";

const flavors = ["redis-7", "redis-8", "valkey-9"];
const clients = ["6", "5"];
const rest = process.argv.slice(2);
const files = rest.includes("--short")
  ? ["main-job", "crash", "lost-reply", "lease"].map((name) => `test/integration/${name}.test.ts`)
  : ["test/integration"];
const further = rest.filter((word) => word !== "--short");

const failed = flavors.flatMap((flavor) =>
  clients.flatMap((client) => {
    console.log(`\n── ${flavor}, ioredis ${client} ──`);
    const env = { ...process.env, REDIS_FLAVOR: flavor, IOREDIS: client };
    const { status } = spawnSync("npx", ["vitest", "run", "--project", "integration", ...files, ...further], { env, stdio: "inherit" });
    return status === 0 ? [] : [`${flavor} with ioredis ${client}`];
  }),
);

console.log(
  failed.length === 0 ? `\nmatrix: all ${flavors.length * clients.length} combinations passed` : `\nmatrix: failed on ${failed.join(", ")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

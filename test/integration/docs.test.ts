import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { docBlocks, toModule } from "../support/doc-blocks.js";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const folder = join(root, ".cache/doc-blocks");
const blocks = docBlocks(root);
const fileOf = (index: number): string => join(folder, `block-${index}.ts`);

/** Each block runs until its pipelines had the time to start; what it throws must be what it says in a comment. */
const runner = `
import { readFileSync } from "node:fs";
const files = process.argv.slice(2);
for (const file of files) {
  const expected = /^\\/\\/ (\\w+Error: .*)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "nothing";
  const thrown = await import(file).then(() => "nothing", String);
  if (thrown !== expected) { console.error(file, "throws", thrown, "instead of", expected); process.exit(1); }
}
setTimeout(() => process.exit(0), 1_000);
`;

describe("the code in README, docs and docstrings", () => {
  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const prelude = readFileSync(join(root, "test/support/doc-prelude.txt"), "utf8");
    blocks.forEach((block, index) => writeFileSync(fileOf(index), toModule(block, prelude)));
    writeFileSync(join(folder, "runner.mjs"), runner);
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ["*.ts"],
      exclude: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  });

  it("is there", () => {
    expect(blocks.length).toBeGreaterThan(15);
  });

  it("compiles", () => {
    const { stdout, status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    const places = stdout.replace(/\S*block-(\d+)\.ts/g, (_, index: string) => blocks[Number(index)]?.place ?? "");
    expect(places).toBe("");
    expect(status).toBe(0);
  });

  it("runs, and gives what it says", () => {
    const files = blocks.map((_, index) => fileOf(index));
    const env = { ...process.env, REDIS_URL: inject("redisUrl"), HEALTH_PORT: "0" };
    expect(() =>
      execFileSync(process.execPath, ["--import", "tsx", join(folder, "runner.mjs"), ...files], {
        env,
        stdio: "pipe",
        encoding: "utf8",
        cwd: root,
        timeout: 50_000,
      }),
    ).not.toThrow();
  });
});

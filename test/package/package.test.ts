import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));
const npm = (...args: string[]): string => execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** A project that has installed the packed package and its peers, and nothing else of ours. */
let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "rxjs-redis-streams-"));
  const [packed] = JSON.parse(npm("pack", "--json", "--ignore-scripts", "--pack-destination", project)) as [{ filename: string }];
  execFileSync("tar", ["-xzf", packed.filename], { cwd: project });
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "@standard-schema"), { recursive: true });
  cpSync(join(project, "package"), join(modules, "rxjs-redis-streams"), { recursive: true });
  for (const name of ["rxjs", "ioredis", "fp-ts", "@standard-schema/spec", "tslib"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const runThere = (code: string): string => {
  writeFileSync(join(project, "main.mjs"), code);
  return execFileSync(process.execPath, ["main.mjs"], { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
};

describe("the packed package", () => {
  it("exports exactly these values, in plain Node", () => {
    const names = runThere(`console.log(Object.keys(await import("rxjs-redis-streams")).sort().join(" "))`).split(" ");
    expect(names).toMatchSnapshot();
  });

  it("has no side effect at import: nothing is printed, and the process ends", () => {
    expect(runThere(`import "rxjs-redis-streams";`)).toBe("");
  });

  it("keeps what is inside to itself", () => {
    const attempt = `import("rxjs-redis-streams/dist/flow/credit-ledger.js").then(() => "open", (error) => error.code)`;
    expect(runThere(`console.log(await ${attempt})`)).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  it("has nothing that publint minds", async () => {
    const { messages } = await publint({ pkgDir: root, strict: true });
    expect(messages.map((message) => formatMessage(message, packageJson))).toEqual([]);
  });

  it("has types that every resolver of ESM finds", () => {
    expect(() => execFileSync("npx", ["attw", "--pack", ".", "--profile", "esm-only"], { cwd: root, stdio: "pipe" })).not.toThrow();
  });
});

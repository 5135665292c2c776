import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const bench = fileURLToPath(new URL("..", import.meta.url));
const variants = join(bench, "variants");

/** Where the variants are as plain Node runs them: no loader stands between them and what they measure. */
export const compiled = join(bench, "dist");

/** Strips the types of all variants, and lets them import the built package by its name. */
export function compile(): void {
  const compilerOptions: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  for (const file of readdirSync(variants, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))) {
    const target = join(compiled, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(readFileSync(join(variants, file), "utf8"), { compilerOptions }).outputText);
  }
  linkPackage();
}

function linkPackage(): void {
  const modules = join(bench, "node_modules");
  mkdirSync(modules, { recursive: true });
  const link = join(modules, "rxjs-redis-streams");
  if (!existsSync(link)) symlinkSync(join("..", ".."), link, "junction");
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A code block of the documentation, and where it stands. */
export interface DocBlock {
  readonly place: string;
  readonly code: string;
}

const importPattern = /^import [^;]*;$/gm;

/** The `ts` blocks of README.md and docs, and the examples in the docstrings of src. */
export function docBlocks(root: string): DocBlock[] {
  const pages = ["README.md", ...filesBelow(root, "docs", ".md")];
  const sources = filesBelow(root, "src", ".ts").filter((file) => !file.endsWith("sources.ts"));
  return [
    ...pages.flatMap((file) => blocksOf(file, read(root, file))),
    ...sources.flatMap((file) => blocksOf(file, withoutStars(read(root, file)))),
  ];
}

/**
 * Turns a block into a module that runs by itself: what it leaves open (`redis`, `source`, `ship` …) comes from the prelude, and
 * each `expression; // => value` becomes a check.
 */
export function toModule({ code, place }: DocBlock, prelude: string): string {
  const imports = importsOf(code);
  const own = new Set([...code.matchAll(/^(?:const|let|function|async function|class) (\w+)/gm)].map(([, name]) => name));
  const isMissing = (line: string): boolean => !own.has(/^const (\w+)/.exec(line)?.[1]);
  const given = withoutImports(prelude).split("\n").filter(isMissing);
  const givenImports = importsOf(prelude).flatMap((each) => withoutNames(each, namesIn(imports.join(" "))));
  const body = withoutImports(code).replace(
    /^(.+?);[ ]*\/\/ => (.+)$/gm,
    (_, expression: string, value: string) => `check(${expression}, ${value});`,
  );
  return [...imports, ...givenImports, ...given, `// ${place}`, body, "export {};"].join("\n");
}

const importsOf = (code: string): string[] => [...code.matchAll(importPattern)].map(([statement]) => statement);

const withoutImports = (code: string): string => code.replace(importPattern, "");

const namesIn = (statement: string): ReadonlySet<string> => new Set(statement.match(/\w+/g));

/** The import with the names that the block does not import itself. */
function withoutNames(statement: string, taken: ReadonlySet<string>): string[] {
  const [, list = "", from = ""] = /\{([^}]*)\}( from .*)$/s.exec(statement) ?? [];
  const names = list.split(",").filter((name) => name.trim() !== "" && !taken.has(name.trim().replace(/^type /, "")));
  return names.length === 0 ? [] : [`import {${names.join(",")} }${from}`];
}

function blocksOf(file: string, text: string): DocBlock[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => ({
    place: `${file}:${text.slice(0, match.index).split("\n").length}`,
    code: match[1] ?? "",
  }));
}

const withoutStars = (source: string): string => source.replace(/^ \* ?/gm, "");

const read = (root: string, file: string): string => readFileSync(join(root, file), "utf8");

function filesBelow(root: string, folder: string, ending: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A code block of the documentation, and where it stands. */
export interface DocBlock {
  readonly place: string;
  readonly code: string;
}

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
  const imports = [...code.matchAll(/^import .*$/gm)].map(([line]) => line);
  const own = new Set([...code.matchAll(/^(?:const|let|function|async function|class) (\w+)/gm)].map(([, name]) => name));
  const given = prelude.split("\n").filter((line) => !own.has(/^(?:const|function) (\w+)/.exec(line)?.[1]) && !isRepeated(line, imports));
  const body = code
    .replace(/^import .*$/gm, "")
    .replace(/^(.+?);[ ]*\/\/ => (.+)$/gm, (_, expression: string, value: string) => `check(${expression}, ${value});`);
  return [...imports, ...given, `// ${place}`, body, "export {};"].join("\n");
}

/** A block that imports a name itself does not get it from the prelude. */
function isRepeated(line: string, imports: readonly string[]): boolean {
  const from = /from ("[^"]+");$/.exec(line)?.[1];
  return from !== undefined && imports.some((each) => each.includes(from));
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

// Puts the *.lua files beside it into sources.ts, so that the package needs no file access and survives bundlers.
//   node src/redis/scripts/generate.mjs           writes sources.ts
//   node src/redis/scripts/generate.mjs --check   fails when it is out of date
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const here = new URL("./", import.meta.url);
const name = (file) => file.replace(/\.lua$/, "").replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const literal = (source) => "`" + source.replace(/[`\\]|\$\{/g, "\\$&") + "`";
const files = readdirSync(here)
  .filter((file) => file.endsWith(".lua"))
  .sort();
const sources = files.map((file) => `export const ${name(file)}Source: string = ${literal(readFileSync(new URL(file, here), "utf8"))};\n`);
const text = `// Written by generate.mjs from the *.lua files beside it: edit those, then run \`npm run lua\`.\n${sources.join("\n")}`;
const target = new URL("sources.ts", here);

if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("src/redis/scripts/sources.ts is not what the *.lua files say: run `npm run lua`");
  process.exit(1);
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Program } from "./program.js";

/**
 * The command that runs a program of an unpacked root with the root's own libc, whatever libc the system has.
 *
 * The loader is taken from the library folders, because the usual link to it (`/lib64/ld-…`) may be an absolute one,
 * which points out of the root at the system's loader.
 */
export async function unpackedCommand(root: string, name: string): Promise<Program["command"]> {
  const folders = (await Promise.all(["lib", "usr/lib"].map((lib) => namesIn(root, lib)))).flat();
  const libraries = folders.filter((folder) => /-linux-gnu\w*$/.test(folder));
  const files = (await Promise.all(libraries.map((folder) => namesIn(root, folder)))).flat();
  const loader = files.find((file) => /\/ld(64|-linux)[^/]*\.so\.\d+$/.test(file));
  if (!loader) throw new Error(`there is no loader in ${root}`);
  const path = libraries.map((folder) => join(root, folder)).join(":");
  return [join(root, loader), "--library-path", path, join(root, "usr/bin", name)];
}

async function namesIn(root: string, folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch(() => []);
  return names.map((name) => join(folder, name));
}

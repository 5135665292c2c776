import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The full name of a program on `PATH`, when it is there. */
export async function which(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK); // true of folders, too
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

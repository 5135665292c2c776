import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Fills a folder once and for all. It appears under its name only when it is complete; when several processes race,
 * the first one to be done wins, and the others take what it made.
 */
export async function unpackOnce(folder: string, unpack: (draft: string) => Promise<void>): Promise<void> {
  if (await isFolder(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.draft-`);
  try {
    await unpack(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await isFolder(folder))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again whether something has come about.
 *
 * @param what - the end of the error's sentence "Gave up waiting until …"
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  { timeoutMs = 15_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Gave up waiting until ${what} after ${timeoutMs} ms`);
    await delay(everyMs);
  }
}

import type { CommandConnection } from "./command-connection.js";
import type { GroupRef } from "./port.js";

/** XGROUP CREATE … MKSTREAM; true when it was made now, false when it was there. @internal */
export async function makeGroup(
  { call, toKey }: CommandConnection,
  { stream, group }: GroupRef,
  startId: string,
  more: readonly (string | number)[] = [],
): Promise<boolean> {
  try {
    await call("xgroup", "create", toKey(stream), group, startId, "mkstream", ...more);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("BUSYGROUP")) return false;
    throw error;
  }
}

import { decodeList } from "./decode-reply.js";
import type { Call } from "./script.js";

/** What the server can do beyond Redis 7.0, found by asking it: Valkey 9 calls itself 7.2.4. @internal */
export interface Capabilities {
  /** XACKDEL, since Redis 8.2: acknowledge and delete what no other group needs, in one command. */
  readonly xackdel: boolean;
}

/** COMMAND INFO answers null for a command the server does not have; where an ACL hides it, nothing is assumed. @internal */
export async function readCapabilities(call: Call): Promise<Capabilities> {
  try {
    const [xackdel] = decodeList("COMMAND INFO", await call("command", "info", "xackdel"));
    return { xackdel: Array.isArray(xackdel) && xackdel.length > 0 };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOPERM")) return { xackdel: false };
    throw error;
  }
}

import { text } from "./check.js";
import { isEntryId, type EntryId } from "./entry-id.js";

/** Where reading begins: `"0"` with the whole stream, `"$"` with what comes from now on, or after an id. @internal */
export type StartPosition = "0" | "$" | EntryId;

/**
 * @param orElse - what else the option may be, for the message
 * @throws RangeError or TypeError that names the option
 * @internal
 */
export function startPosition(name: string, id: string, orElse = ""): StartPosition {
  text(name, id);
  if (id === "0" || id === "$" || isEntryId(id)) return id;
  throw new RangeError(`Expected \`${name}\` to be "0", "$" or an id "<ms>-<seq>"${orElse}, got \`${id}\``);
}

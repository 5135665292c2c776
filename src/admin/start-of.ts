import { integer, text } from "../model/check.js";
import { isEntryId } from "../model/entry-id.js";
import type { GroupStart } from "../redis/port.js";

/** Checks the options that say where a group is. @throws RangeError or TypeError that names the option @internal */
export function startOf(name: string, id: string, entriesRead: number | undefined): GroupStart {
  text(name, id);
  if (id !== "0" && id !== "$" && !isEntryId(id)) {
    throw new RangeError(`Expected \`${name}\` to be "0", "$" or an id "<ms>-<seq>", got \`${id}\``);
  }
  return { id, entriesRead: entriesRead === undefined ? undefined : integer("entriesRead", entriesRead, 0) };
}

import { integer } from "../model/check.js";
import { startPosition } from "../model/start-position.js";
import type { GroupStart } from "../redis/port.js";

/** Checks the options that say where a group is. @throws RangeError or TypeError that names the option @internal */
export function startOf(name: string, id: string, entriesRead: number | undefined): GroupStart {
  return { id: startPosition(name, id), entriesRead: entriesRead === undefined ? undefined : integer("entriesRead", entriesRead, 0) };
}

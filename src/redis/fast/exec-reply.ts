import type { EntryId } from "../../model/entry-id.js";
import { errorText, isError } from "./line-reply.js";

const [list, string, minus] = ["*", "$", "-"].map((type) => type.charCodeAt(0));
const [cr, lf] = [13, 10];

/**
 * What EXEC answers of XADDs: the ids up to the first entry that could not be added; or the error of the first. None: there
 * is no stream. Undefined: it is no such answer.
 * @internal
 */
export function readExec(reply: Buffer): readonly EntryId[] | string | undefined {
  if (reply[0] !== list || reply[1] === minus) return undefined;
  const ids: EntryId[] = [];
  let at = reply.indexOf(lf) + 1;
  while (reply[at] === string && reply[at + 1] !== minus) {
    const from = reply.indexOf(lf, at) + 1;
    const end = reply.indexOf(cr, from);
    ids.push(reply.toString("latin1", from, end) as EntryId); // a copy, so that one that is kept does not keep the others
    at = end + 2;
  }
  const failed = reply.subarray(at);
  return ids.length === 0 && isError(failed) ? errorText(failed) : ids;
}

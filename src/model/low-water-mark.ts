import { EntryIdOrd, idBefore, type EntryId } from "./entry-id.js";

/**
 * The greatest id up to which everything that was given is settled, in whatever order that happens: where a reader goes on that
 * is to lose nothing. It needs no memory beyond what is unsettled.
 *
 * @param given - the last id given, in the order of the stream
 * @param unsettled - the ids given and not settled, in any order
 * @internal
 */
export function lowWaterMark(given: EntryId, unsettled: Iterable<EntryId>): EntryId {
  let mark = given;
  for (const id of unsettled) if (EntryIdOrd.compare(id, mark) <= 0) mark = idBefore(id);
  return mark;
}

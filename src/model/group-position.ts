import { EntryIdOrd, idBefore, type EntryId } from "./entry-id.js";

/** What is known when a group has vanished. @internal */
export interface LostPosition {
  /** The last id the stream ever gave; undefined when there is no stream any more. */
  readonly lastGeneratedId: EntryId | undefined;
  /** The greatest id this consumer was given. */
  readonly lastSeen: EntryId | undefined;
  readonly oldestInFlight: EntryId | undefined;
  readonly startId: string;
}

/**
 * After which id a vanished group is made again, so that nothing is lost:
 * - the stream is new as well: from its beginning;
 * - something is in flight: before it, so that it is pending again and can still be retried. What came after it and was
 *   settled is delivered again, as at-least-once allows; what is open here is not handed out twice;
 * - else where this consumer was, or where the group was to begin.
 * @internal
 */
export function recreateAfter({ lastGeneratedId, lastSeen, oldestInFlight, startId }: LostPosition): string {
  if (lastGeneratedId === undefined) return "0";
  if (lastSeen !== undefined && EntryIdOrd.compare(lastGeneratedId, lastSeen) < 0) return "0";
  if (oldestInFlight !== undefined) return idBefore(oldestInFlight);
  return lastSeen ?? startId;
}

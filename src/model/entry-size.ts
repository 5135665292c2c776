/** What bounds reads by bytes, and what is known before the next one. @internal */
export interface ByteSituation {
  readonly limit: number;
  /** Of what is in flight, and set aside for reads under way. */
  readonly taken: number;
  /** The size of the largest entry of late; undefined before the first. */
  readonly largest: number | undefined;
  /** Reads that may be under way at a time; each has its part of the limit. */
  readonly readers: number;
  /** The most streams that one of them reads. */
  readonly streams: number;
}

/** A read asks for no more entries than so many, or two per stream, however small they were: the next ones may be large. */
const mostPerRead = 128;
/** The same for the first read, whose entries have no known size. */
const mostAtFirst = 16;
/** After so many smaller entries a large one counts for a third. */
const memory = 1_000;

/**
 * How large the next entry is taken to be: as the largest of late. A mean would make reads larger, but large entries like to come
 * together, and one read of them would exceed the limit many times over. Small ones fill the window all the same, in smaller reads,
 * because what has come is charged exactly. No entry is taken to be larger than a reader's part: what is larger than the
 * limit is read as well, when nothing else is in flight.
 * @internal
 */
export function expectedSize({ limit, largest, readers, streams }: ByteSituation): number {
  const least = Math.ceil(limit / Math.max(largest === undefined ? mostAtFirst : mostPerRead, 2 * readers * streams));
  return Math.max(1, Math.floor(Math.min(Math.max(largest ?? 0, least), limit / readers)));
}

/** How many entries there is room for. @internal */
export const roomFor = (situation: ByteSituation): number =>
  Math.max(0, Math.floor((situation.limit - situation.taken) / expectedSize(situation)));

/** How many of them one read may ask for, so that the others have their part. @internal */
export const partOf = (situation: ByteSituation): number =>
  Math.max(1, Math.floor(situation.limit / situation.readers / expectedSize(situation)));

/** What to remember after a page: a larger entry counts at once, smaller ones make it forgotten slowly. @internal */
export function largestOfLate(situation: ByteSituation, page: { readonly count: number; readonly largest: number }): number {
  const before = situation.largest ?? expectedSize(situation);
  return Math.min(situation.limit, Math.max(page.largest, before * (1 - 1 / memory) ** page.count));
}

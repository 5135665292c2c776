import type { ClaimedKey } from "../model/claim.js";
import type { Write } from "../model/write.js";
import type { Decision } from "./port.js";

/** Places of decisions that the settle script carries out together: they have verb and steps in common. @internal */
export type Run = readonly [first: number, ...others: number[]];

/**
 * Sorts decisions into runs. Acknowledgements that write nothing, or mark alone, go together wherever they stand; those that write keep
 * the order in which they came.
 * @internal
 */
export function toRuns(decisions: readonly Decision[]): readonly Run[] {
  const runs: [number, ...number[]][] = [];
  const latest: [number, ...number[]][] = []; // by kind
  decisions.forEach((decision, place) => {
    const kind = kindOf(decision);
    const run = kind === alone ? undefined : latest[kind];
    if (run !== undefined && isAlike(decisions[run[0]]!, decision)) run.push(place);
    else runs.push((latest[kind] = [place]));
  });
  return runs;
}

const [plain, marking, writing, alone] = [0, 1, 2, 3];

function kindOf({ verb, claims, writes }: Decision): number {
  if (verb !== "ack") return alone;
  if (writes !== undefined) return writing;
  return claims === undefined ? plain : marking;
}

const isAlike = (one: Decision, other: Decision): boolean =>
  one === other || (areAlike(one.claims, other.claims, lastsAsLong) && areAlike(one.writes, other.writes, writesAlike));

const lastsAsLong = (one: ClaimedKey, other: ClaimedKey): boolean => one.ttlMs === other.ttlMs;

const writesAlike = (one: Write, other: Write): boolean =>
  one.command === other.command && one.key === other.key && one.args.length === other.args.length;

function areAlike<A>(some: readonly A[] | undefined, others: readonly A[] | undefined, alike: (one: A, other: A) => boolean): boolean {
  if (some === undefined || others === undefined) return some === others;
  return some.length === others.length && some.every((each, index) => alike(each, others[index]!));
}

/**
 * Between which ids the script is to look for the decisions page by page: the ms of the lowest and of the highest. Compared as texts, which
 * is quick, and right for times of one length; what lies outside costs a look of its own.
 * @internal
 */
export function boundsOf(decisions: readonly Decision[]): readonly [from: string, to: string] {
  let lowest: string = decisions[0]!.id;
  let highest = lowest;
  for (const { id } of decisions) {
    if (id > highest) highest = id;
    else if (id < lowest) lowest = id; // asked second, because most come in order
  }
  return [msOf(lowest), msOf(highest)];
}

const msOf = (id: string): string => id.slice(0, id.indexOf("-"));

/** What a reader knows before it reads. @internal */
export interface ReadSituation {
  readonly streams: readonly string[];
  /** A running number, for taking turns. */
  readonly turn: number;
  /** 1 or more. */
  readonly credit: number;
  readonly nextChoreInMs: number;
  readonly blockMs: number;
}

/** What it reads then. @internal */
export interface ReadPlan {
  readonly streams: readonly string[];
  /** COUNT, which Redis takes per stream. */
  readonly count: number;
  /** Undefined: do not block. */
  readonly blockMs: number | undefined;
  /** True when it does not block because a chore is waiting. */
  readonly choresWait: boolean;
}

/** Entries per stream and read at most: above, nothing is gained, and a page is one long loop. */
const largestCount = 1_000;

/**
 * Divides the credit among the streams; with less credit than streams they take turns, and nobody blocks the others.
 * A read waits no longer than until the next chore, and not at all when one is due already.
 * @internal
 */
export function readPlan({ streams, turn, credit, nextChoreInMs, blockMs }: ReadSituation): ReadPlan {
  const all = streams.length;
  const choresWait = nextChoreInMs <= 0;
  if (credit < all) {
    const first = (turn * credit) % all;
    return { streams: [...streams, ...streams].slice(first, first + credit), count: 1, blockMs: undefined, choresWait };
  }
  const untilChore = Math.max(1, Math.floor(nextChoreInMs) - 1);
  return {
    streams,
    count: Math.min(largestCount, Math.floor(credit / all)),
    blockMs: choresWait ? undefined : Math.min(blockMs, untilChore),
    choresWait,
  };
}

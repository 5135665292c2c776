/** What a reader knows before it reads. @internal */
export interface ReadSituation {
  readonly streams: readonly string[];
  /** Those of them whose last page was full: they hold more. */
  readonly full: readonly string[];
  /** A running number, for taking turns. */
  readonly turn: number;
  /** 1 or more. */
  readonly credit: number;
  readonly nextChoreInMs: number;
  readonly blockMs: number;
  /** Whether the read claims as well. @defaultValue `false` */
  readonly claims?: boolean;
  /** Credit that is not to be asked for. @defaultValue `0` */
  readonly spare?: number;
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

/** Entries that one read may claim: each is looked up and moved, and a command is to stay far below the 5 ms of a slow one. */
const mostClaimed = 100;
/** Entries per stream and read at most: above, nothing is gained, and a page is one long loop. @internal */
export const largestCount = 1_000;

/**
 * A read that blocks sets aside what it asks for, so it leaves some for retries that become known meanwhile: 0 of less than 20.
 * @internal
 */
export const spareOf = (credit: number): number => Math.min(50, Math.floor(credit / 20));

/**
 * Divides the credit among the streams. Every other read goes to those alone whose last page was full, so that one busy stream
 * among hundreds gets more than its share of the credit, and none of the others waits longer than for that read. With less
 * credit than streams they take turns, and nobody blocks the others. A read waits no longer than until the next chore, and not
 * at all when one is due already.
 * @internal
 */
export function readPlan({ streams, full, turn, credit, nextChoreInMs, blockMs, claims = false, spare = 0 }: ReadSituation): ReadPlan {
  const choresWait = nextChoreInMs <= 0;
  const some = full.length > 0 && full.length < streams.length && turn % 2 === 0 ? full : streams;
  if (credit < some.length) {
    const first = (turn * credit) % some.length;
    return { streams: [...some, ...some].slice(first, first + credit), count: 1, blockMs: undefined, choresWait };
  }
  const share = Math.min(largestCount, Math.max(1, Math.floor((credit - spare) / some.length)));
  const untilChore = Math.max(1, Math.floor(nextChoreInMs) - 1);
  return {
    streams: some,
    count: claims ? Math.min(share, countWhenClaiming(some.length)) : share,
    blockMs: choresWait || some !== streams ? undefined : Math.min(blockMs, untilChore),
    choresWait,
  };
}

/** COUNT of a read that claims; Redis takes it per stream. @internal */
export const countWhenClaiming = (streams: number): number => Math.max(1, Math.floor(mostClaimed / streams));
